import { type CallEvent, ROOM_UNHEARD } from '@greenroom/dead-air';
import type { AgentRun } from '../agent-run.js';
import { OverheardSpeech } from './overheard-speech.js';
import { ongoingOf } from './to-call-event.js';

/** While its caller is away a session is not silent: LEAVE_GRACE decides what becomes of it. */
const CALLER_AWAY = 'caller_away';

/** What is known of one launch's call. */
export class Ear {
  /** Of a LiveKit session its own id, of a phone call that of the phone. */
  callId: string;
  /**
   * - `unknown`: nobody has looked whether there should be a call, or Redis has lost it
   * - `untold`: both sides are there, but nothing was ever heard of them: that is not silence
   */
  call: 'unknown' | 'opening' | 'untold' | 'open' | 'none' = 'unknown';
  /** Of the latest that the agent has reported, by the clock of Redis; 0: it never has. */
  reportedAt = 0;
  isCallerAway = false;
  /** How the caller's telephone gets to the agent, as the api has said that answered it. */
  link: string | undefined;
  /** Its agent tells when the caller speaks. */
  tellsOfCaller = false;
  readonly overheard = new OverheardSpeech();
  /** What goes on, by name: a call that is opened later, or again, has to know. */
  readonly ongoing = new Map<string, CallEvent>();
  /** Somebody listens in its room, or is to. */
  isFollowed = false;
  /** Until then the agent may report something; after that somebody listens. */
  listening: NodeJS.Timeout | undefined;
  isDeciding = false;
  /** What is told of one call is told in order. */
  turn: Promise<void> = Promise.resolve();
  #isUnheard = false;

  constructor({ id, session }: AgentRun) {
    this.callId = session.callId ?? id;
  }

  /** What its agent has reported. */
  hear(reports: readonly CallEvent[]): void {
    for (const report of reports) this.remember(report);
    this.reportedAt = Math.max(this.reportedAt, ...reports.map(({ at }) => at));
    this.tellsOfCaller ||= reports.some(({ kind }) => kind === 'caller_speaking');
  }

  remember(event: CallEvent): void {
    const known = ongoingOf(event);
    if (known?.active === true) this.ongoing.set(known.name, event);
    if (known?.active === false) this.ongoing.delete(known.name);
  }

  /** Nobody hears it any more, or yet. */
  beginUnheard(at: number): CallEvent[] {
    this.#isUnheard = true;
    return [{ kind: 'work_started', id: ROOM_UNHEARD, at }];
  }

  /** @param isSure whoever was here before us may have begun it */
  endUnheard(at: number, isSure = this.#isUnheard): CallEvent[] {
    this.#isUnheard = false;
    return isSure ? [{ kind: 'work_ended', id: ROOM_UNHEARD, at }] : [];
  }

  /** One who leaves in the middle of a word has ended it, whether anybody tells so or not. */
  callerIs({ session }: AgentRun, at: number): CallEvent[] {
    this.isCallerAway = session.callerLeftAt !== undefined;
    if (!this.isCallerAway) return [{ kind: 'work_ended', id: CALLER_AWAY, at }];
    const silent: CallEvent = { kind: 'caller_speaking', active: false, at };
    this.remember(silent);
    return [silent, { kind: 'work_started', id: CALLER_AWAY, at }];
  }
}
