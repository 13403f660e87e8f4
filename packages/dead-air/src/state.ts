import type { EndOfCall, SpeechPurpose } from './events.js';
import type { Link } from './link.js';
import { NOTHING_ONGOING, type Ongoing } from './ongoing.js';
import { type Speaker, UNHEARD } from './speaker.js';
import { NO_WORDS, type Words } from './words.js';

export type CallMedium = 'phone' | 'livekit';

/**
 * All that is known of a call: what was heard, and what was done about it. Nothing in it runs: what follows from it at a
 * given time is worked out anew each time. Plain JSON. Times are ms since 1970 by Redis's clock, 0 for never.
 */
export interface CallState {
  v: 1;
  medium: CallMedium;
  begunAt: number;
  /** From here on silence counts; 0 until both sides are there. */
  startedAt: number;
  isOver: boolean;
  caller: Speaker;
  words: Words;
  agent: Speaker;
  /** What an older agent process played or ran ended with it. */
  agentSince: number;
  playbacks: Ongoing;
  work: Ongoing;
  /** The leg of a phone call that leads to the agent. Left out: nothing is told of one. */
  link?: Link;
  /** The latest line that the machine had spoken. */
  saying: Saying | null;
  /** Questions since the caller was last heard. */
  checkins: number;
  /** Questions since then that were refused for good. Left out: none. */
  refusedCheckins?: number;
  restart: { at: number; count: number };
  /** The call is to end as soon as the last line is spoken. */
  farewell: { reason: EndOfCall; at: number } | null;
  end: { reason: EndOfCall; commandId: string; refusedAt: number } | null;
  /** Whether the agent is done speaking and the caller has not answered: the flag. */
  isAgentDone: boolean;
  /**
   * Tells the commands of this life of a call from those of another, where its data was lost in between. Left out: nobody
   * would take the one for the other.
   */
  life?: number;
  /** How many commands of each kind there were: their ids follow from it. */
  commands: Partial<Record<CommandName, number>>;
}

export type CommandName = SpeechPurpose | 'end' | 'restart';

export interface Saying {
  commandId: string;
  purpose: SpeechPurpose;
  askedAt: number;
  /** It takes no longer than this once it has begun. */
  longestMs: number;
  /** A playback was told to be this very line, and when it ended. */
  isHeard: boolean;
  endedAt: number;
  /** The first beginning of any sound from then on; left out: there was none. */
  soundAt?: number;
  /** The first end of any sound after it was asked for. */
  soundEndedAt: number;
  /** The caller's words have made it pointless. */
  isVoid: boolean;
  /** When the first work began that nobody knew of when it was asked for. */
  workAt?: number;
  /** When the command was refused; 0: it was not. */
  refusedAt: number;
}

/** A call that has just become known. Silence counts from `call_started` on. */
export function begin(at: number, medium: CallMedium): CallState {
  return {
    v: 1,
    medium,
    begunAt: at,
    startedAt: 0,
    isOver: false,
    caller: UNHEARD,
    words: NO_WORDS,
    agent: UNHEARD,
    agentSince: 0,
    playbacks: NOTHING_ONGOING,
    work: NOTHING_ONGOING,
    saying: null,
    checkins: 0,
    restart: { at: 0, count: 0 },
    farewell: null,
    end: null,
    isAgentDone: false,
    commands: {},
  };
}

/**
 * The same for a phone call. Its network ignores a command id that it has heard within a minute, and may have heard of this call
 * before its data was lost: the ids of each life are others.
 */
export function beginPhone(at: number): CallState {
  return { ...begin(at, 'phone'), life: at };
}

/** The same state gives the same id: a step that is computed twice commands once. */
export function commandIdOf({ life }: Pick<CallState, 'life'>, name: CommandName, number: number): string {
  return life === undefined ? `${name}-${number}` : `${name}-${number}.${life}`;
}
