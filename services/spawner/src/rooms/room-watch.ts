import type { PresenceRules, SeenInRoom, SessionRecord } from '@greenroom/redis-schema';
import pLimit from 'p-limit';
import type { AgentRun } from '../agent-run.js';
import type { SessionEnds } from '../end-session.js';
import { keepRecord } from '../keep-record.js';
import { type SpawnerContext, shortId } from '../spawner-context.js';
import type { Supervisor } from '../supervisor.js';
import { hasNews, nextDeadline } from './judge-presence.js';
import { presenceRules } from './presence-rules.js';
import type { RoomKeeper } from './room-keeper.js';

interface Parts {
  ends: SessionEnds;
  supervisor: Supervisor;
  keeper: RoomKeeper;
}

/** When a room is looked at, on the clock of performance.now(). */
interface Watched {
  lookedAtMs: number;
  /** Somebody said that something happened there. */
  askedForAtMs: number;
  isLooking: boolean;
}

/** How often it is seen in memory whose look is due; a deadline is late by no more than that. */
const TICK_MS = 250;
/** LiveKit is asked about so many rooms at once. */
const LOOKS_AT_ONCE = 4;
/** After what LiveKit says itself its list may lag behind. */
const SECOND_LOOK_MS = 1000;
/** Between two looks at one room, however much is said to happen there. */
const LEAST_PAUSE_MS = 200;
/** Where the last look did not settle what is due. */
const RETRY_MS = 2000;

/**
 * Sees who is in the rooms of this host's launches: a caller who does not come, or does not come back, and an agent that has
 * gone from its room. Webhooks only say where to look sooner: LiveKit's list of participants decides, asked at each deadline
 * and at every health check interval besides, for what no webhook said. What it cannot tell is unknown and ends nothing.
 */
export class RoomWatch {
  readonly #context: SpawnerContext;
  readonly #parts: Parts;
  readonly #watched = new WeakMap<AgentRun, Watched>();
  readonly #limit = pLimit(LOOKS_AT_ONCE);
  #timer: NodeJS.Timeout | undefined;

  constructor(context: SpawnerContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** The first look at each room follows at once: a spawner that was away has missed what was said. */
  open(): void {
    this.#timer = setInterval(() => this.#lookWhereDue(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Something happened in the room of this session. Returns at once. */
  wake(sessionId: string): void {
    const run = this.#context.runs.get(sessionId);
    // Until it is open, launches of an earlier life are being adopted; it looks at all of them then.
    if (run === undefined || this.#timer === undefined) return;
    this.#of(run).askedForAtMs = performance.now();
    this.#lookIfDue(run);
  }

  /** Something may have happened in any room. */
  wakeAll(): void {
    for (const run of this.#context.runs.all()) this.wake(run.id);
  }

  #lookWhereDue(): void {
    for (const run of this.#context.runs.all()) this.#lookIfDue(run);
  }

  #lookIfDue(run: AgentRun): void {
    const watched = this.#of(run);
    if (!isWatched(run) || watched.isLooking || performance.now() < this.#dueAtMs(run, watched)) return;
    watched.isLooking = true;
    void this.#limit(() => this.#look(run, watched))
      .catch((error: unknown) => this.#report(run, error))
      .finally(() => {
        watched.isLooking = false;
      });
  }

  #dueAtMs(run: AgentRun, { lookedAtMs, askedForAtMs }: Watched): number {
    const { config, redis } = this.#context;
    const regularMs = lookedAtMs + config.healthCheckIntervalMs;
    const asked = [askedForAtMs, askedForAtMs + SECOND_LOOK_MS].find((ms) => ms > lookedAtMs) ?? regularMs;
    const soonestMs = Math.max(asked, lookedAtMs + LEAST_PAUSE_MS);
    const deadline = nextDeadline(run.session, run.ref.launch, presenceRules(this.#context));
    if (deadline === undefined) return Math.min(regularMs, soonestMs);
    const deadlineMs = deadline - redis.clock.now() + performance.now();
    const dueMs = deadlineMs > lookedAtMs ? deadlineMs : lookedAtMs + RETRY_MS;
    return Math.min(regularMs, soonestMs, dueMs);
  }

  async #look(run: AgentRun, watched: Watched): Promise<void> {
    watched.lookedAtMs = performance.now();
    if (!isWatched(run)) return;
    const { rooms, redis, metrics } = this.#context;
    metrics.roomLooks.inc();
    const seenAt = redis.clock.now();
    const { roomName } = run.session;
    const { lateListeners, ...who } = await rooms.whoIsIn(roomName, run.ref);
    const seen: SeenInRoom = { seenAt, ...who };
    if (lateListeners) this.#putOut(run, lateListeners);
    const isComplete = seen.caller === 'present' && seen.agent === 'present';
    // That nobody is there says something only of the room that they were in.
    if (!isComplete && (await rooms.sidsOf([roomName])).get(roomName) !== run.roomSid) {
      return this.#parts.keeper.look();
    }
    const rules = presenceRules(this.#context);
    if (isWatched(run) && hasNews(run.session, run.ref.launch, seen, rules))
      await this.#note(run, seen, rules);
  }

  /** Nothing waits for it: it is tried again at the next look. */
  #putOut(run: AgentRun, listeners: readonly string[]): void {
    const { rooms, logger } = this.#context;
    logger.info('a listener who came back without asking anew is put out', { session: shortId(run.id) });
    rooms
      .removeListeners(run.session.roomName, listeners)
      .catch((error: unknown) => this.#report(run, error));
  }

  async #note(run: AgentRun, seen: SeenInRoom, rules: PresenceRules): Promise<void> {
    const { ends, supervisor } = this.#parts;
    const answer = await this.#context.redis.rooms.notePresence(run.ref, seen, rules);
    switch (answer.status) {
      case 'ok':
        this.#takeState(run, answer.session);
        if (answer.agentVanished) supervisor.agentVanished(run);
        return;
      case 'ending':
        return void ends.end(run.id);
      case 'superseded':
        if (answer.now === 'ending') void ends.end(run.id);
    }
  }

  /** A record that cannot be written now, for want of space, is written at a health check. */
  #takeState(run: AgentRun, session: SessionRecord): void {
    this.#parts.ends.takeState(run, session);
    keepRecord(this.#context, run).catch((error: unknown) => this.#report(run, error));
  }

  #of(run: AgentRun): Watched {
    const known = this.#watched.get(run);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const watched: Watched = { lookedAtMs: never, askedForAtMs: never, isLooking: false };
    this.#watched.set(run, watched);
    return watched;
  }

  #report(run: AgentRun, error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    this.#context.logger.warn('a room could not be looked at', { session: shortId(run.id), error });
  }
}

function isWatched(run: AgentRun): boolean {
  switch (run.phase) {
    case 'launching':
    case 'starting':
    case 'serving':
      return run.roomSid !== undefined;
    case 'settling':
    case 'ending':
      return false;
  }
}
