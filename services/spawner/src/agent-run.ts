import { EventEmitter, once } from 'node:events';
import type { LaunchRef, SessionRecord } from '@greenroom/redis-schema';
import type { Profile } from './agents/profile.js';
import type { ProcessExit, ProcessIdentity, ProcessRef } from './process/index.js';

/**
 * - `launching`: being brought up; no process, or one that waits at its gate
 * - `starting`: its own code runs, it is not ready yet
 * - `serving`: ready or pooled
 * - `settling`: its process is gone or going; whether the call ends or gets another agent is being found out
 * - `ending`: its end is under way
 */
export type RunPhase = 'launching' | 'starting' | 'serving' | 'settling' | 'ending';

/** What a launch's agent prints and reports, as the rest of the spawner uses it. */
export interface RunOutput {
  /** Settles at the first line that matches the readiness patterns of the agent's mode. */
  readonly patternSeen: Promise<void>;
  /** Settles when the agent says `ready`. */
  readonly readySaid: Promise<void>;
  /** How many health events were read so far. */
  readonly healthReports: number;
  /** How long what was read has been waiting for Redis to take it: meanwhile nothing more is read. */
  heldUpMs(): number;
  /** The last lines that may be shown, oldest first. */
  lastLines(count: number): string[];
  /** Settles when all that stands in its files now was read, and taken; false where that cannot be said. */
  catchUp(): Promise<boolean>;
  /** Reads what is left, then stops. */
  close(): Promise<void>;
  /** Stops where it is: a successor reads on from there. */
  leave(): Promise<void>;
  /** Gives space back to a disk that is nearly full: what was consumed, or most of what was not as well. */
  giveBack(what: 'consumed' | 'unread'): Promise<void>;
  /** What people said must not stay on the disk after the call. */
  eraseEvents(): Promise<void>;
}

/** One launch of an agent on this host, from the claim until nothing of it is left. */
export class AgentRun {
  readonly ref: LaunchRef;
  readonly profile: Profile;
  /** As of the last step; Redis holds the truth. */
  session: SessionRecord;
  phase: RunPhase = 'launching';
  eventsFile = '';
  /** Set once the process exists. */
  identity: ProcessIdentity | undefined;
  exited: Promise<ProcessExit> | undefined;
  /** Its own cgroup, where one could be made: what no double fork escapes. */
  cgroup: string | undefined;
  /** Of the room that was made for it, once it was. */
  roomSid: string | undefined;
  /** When LiveKit last said that this room is there, on the clock of performance.now(). */
  roomSeenAtMs = Number.NEGATIVE_INFINITY;
  output: RunOutput | undefined;
  /** Descendants seen at health checks; they are found again even if they hide later. */
  remembered: readonly ProcessRef[] = [];
  /** Settles when nobody is writing the record of this launch: the next launch of the session has one of its own. */
  recordKept: Promise<unknown> = Promise.resolve();
  /** It has no use for a grace: a process that hangs does not act on a signal. */
  hangs = false;
  /** Aborted when its processes are to get no time to leave any more. */
  readonly skipGrace = new AbortController();
  /** It took more than its limits allow, and is killed for it. */
  isOverLimit = false;
  /** Its session may have another launch by now, whose room this is too. */
  leavesRoom = false;
  /** What the agent gave as the reason of its own end. */
  saidEnd: string | undefined;
  /** Aborted when the end is asked for: whatever brings the agent up gives way. */
  readonly giveWay = new AbortController();
  /** Settles when bringing up is over, one way or the other: from then on the process is known or there is none. */
  readonly broughtUp: Promise<void>;
  /** When the launch was claimed, on the clock of performance.now(). */
  readonly startedAtMs: number;
  #settleBroughtUp: () => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;

  /** @param ageMs how long ago the launch was claimed; not 0 for one that is adopted */
  constructor(ref: LaunchRef, session: SessionRecord, profile: Profile, ageMs = 0) {
    this.ref = ref;
    this.session = session;
    this.profile = profile;
    this.startedAtMs = performance.now() - ageMs;
    this.broughtUp = new Promise((resolve) => {
      this.#settleBroughtUp = resolve;
    });
  }

  get id(): string {
    return this.ref.sessionId;
  }

  settleBroughtUp(): void {
    this.#settleBroughtUp();
  }

  /** Calls back after so long; a later call replaces an earlier one. */
  setDeadline(inMs: number, onDeadline: () => void): void {
    clearTimeout(this.#deadline);
    // setTimeout takes at most 2^31 - 1 ms and would otherwise fire at once.
    const waitMs = Math.min(Math.max(inMs, 0), 2 ** 31 - 1);
    this.#deadline = setTimeout(onDeadline, waitMs);
    this.#deadline.unref();
  }

  clearDeadline(): void {
    clearTimeout(this.#deadline);
  }
}

/** The launches that this spawner is responsible for, by session. */
export class RunRegistry {
  readonly #runs = new Map<string, AgentRun>();
  readonly #claiming = new Set<string>();
  readonly #events = new EventEmitter().setMaxListeners(0);

  add(run: AgentRun): void {
    this.#runs.set(run.id, run);
  }

  get(sessionId: string): AgentRun | undefined {
    return this.#runs.get(sessionId);
  }

  /** Removes this very launch; a newer one of the same session stays. */
  remove(run: AgentRun): void {
    if (this.#runs.get(run.id) !== run) return;
    this.#runs.delete(run.id);
    this.#events.emit('removed');
  }

  /** Settles when there is none. @throws AbortError */
  async untilNone(signal: AbortSignal): Promise<void> {
    while (this.size > 0) await once(this.#events, 'removed', { signal });
  }

  /** Settles when this very launch is gone. @throws AbortError */
  async untilGone(run: AgentRun, signal: AbortSignal): Promise<void> {
    while (this.get(run.id) === run) await once(this.#events, 'removed', { signal });
  }

  /** A claim under this launch id is on its way: Redis may know of it before we do. */
  expect(launch: string): void {
    this.#claiming.add(launch);
  }

  /** The claim was answered, or its answer is lost; a run of it is listed by now. */
  unexpect(launch: string): void {
    this.#claiming.delete(launch);
  }

  /** Whether somebody here looks after this launch. */
  accountsFor(launch: string | undefined): boolean {
    if (launch === undefined) return false;
    return this.#claiming.has(launch) || this.all().some((run) => run.ref.launch === launch);
  }

  all(): AgentRun[] {
    return [...this.#runs.values()];
  }

  get size(): number {
    return this.#runs.size;
  }
}
