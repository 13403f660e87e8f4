import type { CallEvent, CallState } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';

/** What is heard: by the command of ours that asked for it, by an id that Telnyx has given it, or only by what plays it. */
export type Sound =
  | { readonly commandId: string }
  | { readonly playbackId: string }
  | { readonly source: string };

/** What one source plays: when what still plays has begun, and when anything of it has last ended. */
interface Playing {
  readonly open: readonly number[];
  readonly endedAt: number;
}

export interface HeardSound {
  readonly events: CallEvent[];
  readonly facts: CallRecord['facts'];
}

/** Telnyx's own times tell the order, those of Redis's clock what the rules count on. */
export interface SoundTime {
  readonly occurredAt: number;
  readonly timeOf: (occurredAt: number) => number;
}

const SPOKEN = 'speak';
const FACT = 'sounds';
const KEPT = 8;
const SILENT: Playing = { open: [], endedAt: 0 };

/**
 * What an event about a sound means for the rules, which want one id for each sound: what has ended once is over for them.
 * Spoken text has none but that of our own command, and the same media may be played again. But one source plays one sound
 * after the other: what has begun before something of it has ended is over, in whatever order that is told.
 */
export function hearSound(
  { state, facts }: Pick<CallRecord, 'state' | 'facts'>,
  kind: 'playback_started' | 'playback_ended',
  sound: Sound,
  { occurredAt, timeOf }: SoundTime,
): HeardSound {
  const at = timeOf(occurredAt);
  const named = nameOf(state as Partial<CallState>, sound, at);
  if ('id' in named) return { events: [{ kind, at, ...named }], facts };
  const all = parse(facts[FACT]);
  const { events, playing } = listen(named.source, all[named.source] ?? SILENT, kind, occurredAt);
  return {
    events: events.map((event) => ({ ...event, at: timeOf(event.at) })),
    facts: { ...facts, [FACT]: JSON.stringify(keep(all, named.source, playing)) },
  };
}

/** The state that came with our command stays with the call: what is spoken after our line is somebody else's. */
function nameOf(
  state: Partial<CallState>,
  sound: Sound,
  at: number,
): { id: string; commandId?: string } | { source: string } {
  if ('playbackId' in sound) return { id: sound.playbackId };
  if ('source' in sound) return sound;
  const { commandId } = sound;
  const endedAt = new Map(Object.entries(state.playbacks?.ended ?? {})).get(commandId);
  return endedAt !== undefined && at > endedAt ? { source: SPOKEN } : { id: commandId, commandId };
}

function listen(
  source: string,
  { open, endedAt }: Playing,
  kind: 'playback_started' | 'playback_ended',
  at: number,
): { events: CallEvent[]; playing: Playing } {
  const isStart = kind === 'playback_started';
  const begun = isStart ? [...open, at] : open;
  const lastEnd = isStart ? endedAt : Math.max(endedAt, at);
  const started: CallEvent[] = isStart ? [{ kind, id: nameFor(source, at), at }] : [];
  const over = begun.filter((begin) => begin <= lastEnd);
  const ended = over.map((begin) => ({
    kind: 'playback_ended' as const,
    id: nameFor(source, begin),
    at: lastEnd,
  }));
  return {
    events: [...started, ...ended],
    playing: { open: begun.filter((begin) => begin > lastEnd).slice(-KEPT), endedAt: lastEnd },
  };
}

function nameFor(source: string, begin: number): string {
  return `${source}@${begin}`;
}

/** The sources that were heard last. */
function keep(all: Readonly<Record<string, Playing>>, source: string, playing: Playing): typeof all {
  const { [source]: _, ...others } = all;
  return Object.fromEntries([...Object.entries(others), [source, playing] as const].slice(-KEPT));
}

function parse(text: string | undefined): Readonly<Record<string, Playing>> {
  return text === undefined ? {} : (JSON.parse(text) as Record<string, Playing>);
}
