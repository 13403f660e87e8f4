import type { CallEvent } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';
import type { SoundTime } from './sounds.js';

/** When the caller's words were said that are known, by the clock of Telnyx. */
interface Heard {
  readonly latestAt: number;
  /** The latest that can change no more. */
  readonly finalAt: number;
  /** When the rules were told the latest, by Redis's clock. */
  readonly countedAt: number;
}

export interface Said {
  readonly text: string;
  readonly isFinal: boolean;
}

export interface HeardWords {
  readonly events: CallEvent[];
  readonly facts: CallRecord['facts'];
}

const FACT = 'words';
const NEVER: Heard = { latestAt: 0, finalAt: 0, countedAt: 0 };

/**
 * What words of the caller mean for the rules. The rules' times are cut to the present: an old guess that is told again would be
 * taken for the caller's next words, to which an agent that has answered long ago owes another answer. So Telnyx's own times
 * tell which words come later.
 */
export function hearWords(
  { facts }: Pick<CallRecord, 'facts'>,
  { text, isFinal }: Said,
  { occurredAt, timeOf }: SoundTime,
): HeardWords {
  const before = parse(facts[FACT]);
  // What the caller said in the end is known.
  if (!isFinal && occurredAt <= before.finalAt) return { events: [], facts };
  const at = countFor(occurredAt, timeOf(occurredAt), before);
  const heard: Heard = {
    latestAt: Math.max(before.latestAt, occurredAt),
    finalAt: isFinal ? Math.max(before.finalAt, occurredAt) : before.finalAt,
    countedAt: Math.max(before.countedAt, at),
  };
  return {
    events: [{ kind: 'caller_said', text, final: isFinal, at }],
    facts: { ...facts, [FACT]: JSON.stringify(heard) },
  };
}

/** Words count in the order in which they were said: older ones before what was already counted, newer ones not. */
function countFor(occurredAt: number, at: number, { latestAt, countedAt }: Heard): number {
  if (occurredAt < latestAt) return Math.min(at, countedAt - 1);
  return occurredAt === latestAt ? Math.min(at, countedAt) : Math.max(at, countedAt);
}

function parse(text: string | undefined): Heard {
  return text === undefined ? NEVER : (JSON.parse(text) as Heard);
}
