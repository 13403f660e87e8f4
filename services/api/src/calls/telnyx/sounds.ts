import type { CallEvent } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';

/** What is heard: by the command of ours that asked for it, by an id that Telnyx has given it, or only by what plays it. */
export type Sound =
  | { readonly commandId: string }
  | { readonly playbackId: string }
  | { readonly source: string };

/** When something of one name has last begun, and last ended, by the clock of Telnyx. */
interface Heard {
  readonly startedAt: number;
  readonly endedAt: number;
  /** When the rules were last told something of it, by Redis's clock. */
  readonly countedAt?: number;
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

const FACT = 'sounds';
const KEPT = 8;
const NEVER: Heard = { startedAt: 0, endedAt: 0 };

/**
 * What an event about a sound means for the rules. Spoken text has no id but that of our own command, and the same media may be
 * played again; but one source plays one sound after the other, so the latest beginning and the latest end tell whether
 * it is heard now, in whatever order they are told. That order is Telnyx's: the rules' times are cut to the present, and would
 * tell what came first for what happened first where its clock is ahead of ours.
 */
export function hearSound(
  { facts }: Pick<CallRecord, 'facts'>,
  kind: 'playback_started' | 'playback_ended',
  sound: Sound,
  { occurredAt, timeOf }: SoundTime,
): HeardSound {
  const name = nameOf(sound);
  const all = parse(facts[FACT]);
  const before = all[name.id] ?? NEVER;
  const after =
    kind === 'playback_started'
      ? { ...before, startedAt: Math.max(before.startedAt, occurredAt) }
      : { ...before, endedAt: Math.max(before.endedAt, occurredAt) };
  const events = newsOf(before, after).map(([what, at]) => {
    // No two instances read Redis's clock alike, and an end that seemed to come before its beginning would end nothing.
    const notBefore = (before.countedAt ?? 0) + (what === 'playback_started' ? 1 : 0);
    return { kind: what, at: Math.max(timeOf(at), notBefore), ...name };
  });
  const countedAt = events.at(-1)?.at ?? before.countedAt;
  const heard = countedAt === undefined ? after : { ...after, countedAt };
  return { events, facts: { ...facts, [FACT]: JSON.stringify(keep(all, name.id, heard)) } };
}

function nameOf(sound: Sound): { id: string; commandId?: string } {
  if ('commandId' in sound) return { id: sound.commandId, commandId: sound.commandId };
  return { id: 'playbackId' in sound ? sound.playbackId : sound.source };
}

type News = ['playback_started' | 'playback_ended', number];

/**
 * A beginning that is older than the latest, and an end that is older than the latest beginning, change nothing. Nor does a
 * beginning whose end is known: told long after it, it would be taken for just now.
 */
function newsOf(before: Heard, after: Heard): News[] {
  const isPlaying = after.startedAt > after.endedAt;
  if (isPlaying && after.startedAt > before.startedAt) return [['playback_started', after.startedAt]];
  if (!isPlaying && after.endedAt > before.endedAt) return [['playback_ended', after.endedAt]];
  return [];
}

/** The sounds that were heard last. */
function keep(all: Readonly<Record<string, Heard>>, id: string, heard: Heard): typeof all {
  const { [id]: _, ...others } = all;
  return Object.fromEntries([...Object.entries(others), [id, heard] as const].slice(-KEPT));
}

function parse(text: string | undefined): Readonly<Record<string, Heard>> {
  return text === undefined ? {} : (JSON.parse(text) as Record<string, Heard>);
}
