import type {
  AlarmStreamEvent,
  AlarmView,
  AllStreamEvents,
  HostStreamEvent,
  HostView,
  LineStreamEvent,
  LoadStreamEvent,
  OverviewView,
  PoolStreamEvent,
  PoolView,
  SessionStepEvent,
} from '@greenroom/contracts';
import { type LiveSession, type LiveState, NOTHING, sinceOf } from './live-state.js';
import { takeStep } from './take-step.js';

/** However much happens, the page is drawn no more often than this: nobody reads faster. */
const MIN_PAUSE_MS = 200;

export type LiveEvent = {
  [Name in keyof AllStreamEvents]: { name: Name; data: AllStreamEvents[Name] };
}[keyof AllStreamEvents];

export interface LiveStoreOptions {
  /** Calls back when the page is about to be drawn. */
  readonly onFrame?: (draw: () => void) => void;
  readonly now?: () => number;
}

/**
 * What the stream of all has told, as the page may show it. Events are taken in at once, and told on together, with the
 * next frame: two hundred changes a second are five drawings.
 */
export class LiveStore {
  #state: LiveState = NOTHING;
  /** Taken in, and not told yet. */
  #next: Draft | undefined;
  #isScheduled = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  readonly #listeners = new Set<() => void>();
  readonly #onFrame: (draw: () => void) => void;
  readonly #now: () => number;

  constructor({ onFrame = onNextFrame, now = () => performance.now() }: LiveStoreOptions = {}) {
    this.#onFrame = onFrame;
    this.#now = now;
  }

  /** What was told last; another object only when something has changed. */
  readonly read = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  take(event: LiveEvent): void {
    const draft = (this.#next ??= new Draft(this.#state));
    switch (event.name) {
      case 'snapshot':
        draft.replace(event.data);
        break;
      case 'session':
        draft.takeStep(event.data);
        break;
      case 'load':
        draft.takeLoad(event.data);
        break;
      case 'pool':
        draft.takePool(event.data);
        break;
      case 'host':
        draft.takeHost(event.data);
        break;
      case 'line':
        draft.takeLine(event.data);
        break;
      case 'alarm':
        draft.takeAlarm(event.data);
        break;
      case 'source':
        // Of the connection, not of what is known.
        break;
    }
    this.#schedule();
  }

  /** Answers of GET /api/pool and /api/hosts say more than their events. */
  takePools(pools: readonly PoolView[]): void {
    (this.#next ??= new Draft(this.#state)).pools = mapOf(pools, ({ profile }) => profile);
    this.#schedule();
  }

  takeHosts(hosts: readonly HostView[]): void {
    (this.#next ??= new Draft(this.#state)).hosts = mapOf(hosts, ({ host }) => host);
    this.#schedule();
  }

  /** Starts that failed go from Redis by their time alone, and nobody is told: neither are they kept here. */
  dropFailedBefore(time: number): void {
    const { sessions } = this.#state;
    const over = [...sessions.values()].filter(
      ({ status, changedAt }) => status === 'error' && Date.parse(changedAt) < time,
    );
    if (over.length === 0) return;
    (this.#next ??= new Draft(this.#state)).drop(over.map(({ sessionId }) => sessionId));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const pauseMs = this.#toldAt + MIN_PAUSE_MS - this.#now();
    if (pauseMs <= 0) this.#onFrame(this.#tell);
    else setTimeout(() => this.#onFrame(this.#tell), pauseMs);
  }

  readonly #tell = (): void => {
    this.#isScheduled = false;
    if (!this.#next) return;
    this.#state = this.#next.finish(this.#state);
    this.#next = undefined;
    this.#toldAt = this.#now();
    for (const listener of this.#listeners) listener();
  };
}

/** A state that is being changed. A part is copied when it is changed for the first time. */
class Draft {
  sessions: Map<string, LiveSession> | undefined;
  pools: Map<string, PoolView> | undefined;
  hosts: Map<string, HostView> | undefined;
  #alarms: Map<string, AlarmView> | undefined;
  #rest: { line?: LiveState['line']; isCut?: boolean; isRecovering?: boolean } = {};
  readonly #before: LiveState;

  constructor(before: LiveState) {
    this.#before = before;
  }

  finish(before: LiveState): LiveState {
    return {
      ...before,
      ...this.#rest,
      ...(this.sessions && { sessions: this.sessions }),
      ...(this.pools && { pools: this.pools }),
      ...(this.hosts && { hosts: this.hosts }),
      ...(this.#alarms && { alarms: this.#alarms }),
    };
  }

  replace({ sessions, pools, hosts, line = [], alarms = [], isCut, recovering }: OverviewView): void {
    // When it failed, a snapshot does not say; what is there now stays for five minutes at the most.
    const heardAt = new Date().toISOString();
    this.sessions = mapOf(
      sessions.map((it) => ({ ...it, changedAt: it.status === 'error' ? heardAt : sinceOf(it) })),
      ({ sessionId }) => sessionId,
    );
    this.pools = mapOf(pools, ({ profile }) => profile);
    this.hosts = mapOf(hosts, ({ host }) => host);
    this.#alarms = mapOf(alarms, ({ sessionId }) => sessionId);
    this.#rest = { line: { waiting: line.length, entries: line }, isCut, isRecovering: recovering };
  }

  drop(sessionIds: readonly string[]): void {
    this.sessions ??= new Map(this.#before.sessions);
    for (const id of sessionIds) this.sessions.delete(id);
  }

  takeStep(step: SessionStepEvent): void {
    const sessions = (this.sessions ??= new Map(this.#before.sessions));
    const after = takeStep(sessions.get(step.sessionId), step);
    if (after) sessions.set(step.sessionId, after);
    else sessions.delete(step.sessionId);
  }

  takeLoad({ sessionId, at, cpuPercent, memoryBytes }: LoadStreamEvent): void {
    const sessions = (this.sessions ??= new Map(this.#before.sessions));
    const session = sessions.get(sessionId);
    if (session) sessions.set(sessionId, { ...session, cpuPercent, memoryBytes, measuredAt: at });
  }

  takePool({ breaker, at: _at, ...counts }: PoolStreamEvent): void {
    const pools = (this.pools ??= new Map(this.#before.pools));
    const { breaker: _over, ...before } = pools.get(counts.profile) ?? newPool(counts);
    pools.set(counts.profile, { ...before, ...counts, ...(breaker && { breaker }) });
  }

  takeHost({ at, state, ...counts }: HostStreamEvent): void {
    const hosts = (this.hosts ??= new Map(this.#before.hosts));
    if (state === 'removed') {
      hosts.delete(counts.host);
      return;
    }
    const before = hosts.get(counts.host) ?? newHost(counts.host, at);
    const drain =
      state === 'draining'
        ? { since: before.drain?.since ?? null, callsLeft: counts.calls ?? before.calls }
        : null;
    const isHeard = state === 'up' || state === 'draining';
    hosts.set(counts.host, { ...before, ...counts, state, drain, ...(isHeard && { lastSeenAt: at }) });
  }

  takeLine({ waiting, line }: LineStreamEvent): void {
    this.#rest.line = { waiting, entries: line };
  }

  takeAlarm({ isOver, ...alarm }: AlarmStreamEvent): void {
    const alarms = (this.#alarms ??= new Map(this.#before.alarms));
    if (isOver) alarms.delete(alarm.sessionId);
    else alarms.set(alarm.sessionId, alarm);
  }
}

/** Until GET /api/pool has said the rest. */
function newPool({ profile, target, ready, warming }: Omit<PoolStreamEvent, 'at' | 'breaker'>): PoolView {
  return {
    profile,
    target,
    ready,
    warming,
    policy: { kind: 'fixed', size: target },
    why: '',
    starts: 0,
    warmStarts: 0,
  };
}

/** Until GET /api/hosts has said the rest. */
function newHost(host: string, at: string): HostView {
  return {
    host,
    state: 'up',
    version: null,
    capacity: 0,
    running: 0,
    calls: 0,
    warm: 0,
    starting: 0,
    killsLeft: 0,
    memory: { freeBytes: null, isShort: false },
    startedAt: at,
    lastSeenAt: at,
    drain: null,
  };
}

function mapOf<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T> {
  return new Map(items.map((item) => [nameOf(item), item]));
}

/** In a tab that nobody sees there is no frame, and nothing is drawn. */
function onNextFrame(draw: () => void): void {
  requestAnimationFrame(draw);
}
