import { randomUUID } from 'node:crypto';
import type { Epoch, OfferedProfile, SessionRecord } from '@greenroom/redis-schema';
import { policySetting } from '@greenroom/service-kit';
import { settleUnrecorded } from './adopt.js';
import type { AgentRun } from './agent-run.js';
import type { Profile } from './agents/profile.js';
import { profileVersion } from './agents/profile-version.js';
import type { SessionEnds } from './end-session.js';
import { keepRecord } from './keep-record.js';
import { listLaunchRecords } from './process/index.js';
import type { SessionLifecycle } from './session-lifecycle.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import type { Supervisor } from './supervisor.js';

interface Parts {
  lifecycle: SessionLifecycle;
  ends: SessionEnds;
  supervisor: Supervisor;
}

/** What a heartbeat says of the data: an epoch, or the number of the recovery that is under way. */
export interface DataState {
  readonly epoch: Epoch | undefined;
  readonly recovery: number | undefined;
}

/**
 * Redis was emptied, restarted, or replaced by one that lacks the last writes. The host is the truth about its processes:
 * it publishes each of its launches, and what was a warm agent goes into quarantine, since the data that is lost may have
 * given it to a caller.
 */
export class Recovery {
  readonly #context: SpawnerContext;
  readonly #parts: Parts;
  /** The recovery in which all our launches were published; heartbeats carry it. */
  #published: number | undefined;
  #looking: Promise<void> | undefined;

  constructor(context: SpawnerContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  get published(): number | undefined {
    return this.#published;
  }

  /** For launches that were published at adoption. */
  async alreadyPublished(data: DataState): Promise<void> {
    this.#published = data.recovery;
    this.#context.redis.enterLife(data.epoch ?? data.recovery);
    if (data.epoch !== undefined) await enterLife(this.#context, data.epoch);
  }

  /**
   * Called with every heartbeat, which waits for it: nothing here may wait for what only a later heartbeat can bring.
   * @throws RedisUnavailableError: the next one goes on
   */
  async follow(data: DataState): Promise<void> {
    if (this.#isUnpublished(data)) {
      await this.#publishAll();
      this.#published = data.recovery;
      this.#context.redis.enterLife(data.epoch ?? data.recovery);
    }
    const hasEnded = data.epoch !== undefined;
    if (data.epoch !== undefined && data.epoch !== this.#context.epoch) {
      await enterLife(this.#context, data.epoch);
      for (const run of this.#context.runs.all()) this.#context.calls.lookAgain(run);
      void this.#settleUnrecorded();
    }
    void this.#lookAtQuarantine(hasEnded);
  }

  #isUnpublished(data: DataState): boolean {
    if (data.epoch === undefined) return data.recovery !== this.#published;
    // A recovery may be over before we heard of it.
    return data.epoch !== this.#context.epoch && !data.epoch.startsWith(`${this.#published}-`);
  }

  async #publishAll(): Promise<void> {
    const context = this.#context;
    const { runs, redis, logger } = context;
    context.epoch = undefined;
    redis.enterLife(undefined);
    await register(context, true);
    const mine = runs.all().filter((run) => run.phase !== 'ending');
    logger.warn('Redis has lost data, or may have; publishing the launches of this host', {
      launches: mine.length,
    });
    await Promise.all(mine.map((run) => this.#publish(run)));
  }

  async #publish(run: AgentRun): Promise<void> {
    const { redis, state, logger } = this.#context;
    const session = { ...run.session, logFile: state.logFile(run.id, run.ref.generation) };
    const answer = await redis.sessions.publishLaunch(run.ref, state.hostId, session, run.identity);
    if (answer.status === 'ok') {
      this.#take(run, answer.session);
      if (answer.session.status === 'ending') void this.#parts.ends.end(run.id);
      return;
    }
    logger.warn('a launch is no longer its session’s', { session: shortId(run.id), answer: answer.status });
    if (answer.status === 'gone') void this.#parts.ends.end(run.id);
    // One that is being replaced finds out by itself, and its successor may stand here already.
    else if (run.phase !== 'settling') void this.#parts.ends.drop(run);
  }

  /** A record that cannot be written now, for want of space, is written at a health check. */
  #take(run: AgentRun, session: SessionRecord): void {
    this.#parts.ends.takeState(run, session);
    keepRecord(this.#context, run).catch((error: unknown) => {
      this.#context.logger.warn('launch record not brought up to date', { session: shortId(run.id), error });
    });
  }

  /** What the data says that we had, and we have not. Never rejects; the sweep comes back to it. */
  async #settleUnrecorded(): Promise<void> {
    const { redis, runs, state, logger } = this.#context;
    try {
      for (const id of await redis.hosts.sessionsOf(state.hostId)) {
        if (runs.get(id) === undefined) await settleUnrecorded(this.#context, this.#parts, id);
      }
    } catch (error) {
      if ((error as Error).name === 'AbortError') return;
      logger.warn('sessions without a launch could not be settled', { error });
    }
  }

  /** With a caller in its room it is that caller's; without one it ends when nobody can come any more. Never rejects. */
  #lookAtQuarantine(hasEnded: boolean): Promise<void> {
    this.#looking ??= this.#resolveAll(hasEnded).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #resolveAll(hasEnded: boolean): Promise<void> {
    const inQuarantine = this.#context.runs
      .all()
      .filter((run) => run.session.quarantined && run.session.owner === 'pool' && run.phase === 'serving');
    await Promise.all(inQuarantine.map((run) => this.#resolve(run, hasEnded)));
  }

  async #resolve(run: AgentRun, hasEnded: boolean): Promise<void> {
    const { rooms, redis, config, logger } = this.#context;
    try {
      const caller = await rooms.findCaller(run.session.roomName);
      if (caller === undefined && !hasEnded) return;
      // Whoever was cut off comes back.
      const sinceMs = performance.now() - config.leaveGraceMs;
      if (caller === undefined && rooms.outages.hasBeenSince(sinceMs)) return;
      const answer = await redis.sessions.resolveQuarantine(run.ref, caller, config.sessionTimeoutMs);
      logger.info('quarantine is over', { session: shortId(run.id), outcome: answer.status });
      if (answer.status === 'ready') this.#take(run, answer.session);
      else if (answer.status === 'ending') void this.#parts.ends.end(run.id);
    } catch (error) {
      // Neither LiveKit nor Redis may be asked right now: unknown ends nothing, and the next heartbeat looks again.
      logger.warn('a warm agent stays in quarantine', { session: shortId(run.id), error });
    }
  }
}

/** All launches of this host stand in this life of the data. */
async function enterLife(context: SpawnerContext, epoch: Epoch): Promise<void> {
  const { state, deployment, logger } = context;
  context.epoch = epoch;
  context.redis.enterLife(epoch);
  if (deployment === undefined) return;
  await state.rememberLife({ epoch, deployment }).catch((error: unknown) => {
    logger.warn('the epoch could not be kept; a restart publishes once more', { error });
  });
}

/** Publishes what this host offers. The deployment's id is given back to a Redis that has lost it. */
export async function register(context: SpawnerContext, hasLaunches: boolean) {
  const { redis, state, profiles } = context;
  const known = context.deployment ?? (await state.readLife()).deployment;
  const offered = [...profiles.values()].map((profile) => offer(context, profile));
  const registered = await redis.hosts.register(state.hostId, offered, {
    deployment: known ?? randomUUID(),
    hasLaunches,
  });
  context.deployment = registered.deployment;
  return registered;
}

function offer(context: SpawnerContext, profile: Profile): OfferedProfile {
  const { name, description, voices, pool, deadAirSettings } = profile;
  return {
    name,
    description,
    voices: [...voices],
    deadAirSettings,
    pool: policySetting(pool, context.redis.clock.now()),
    version: profileVersion(profile, context.version),
  };
}

export async function hasLaunchRecords({ state }: SpawnerContext): Promise<boolean> {
  const { records, unreadable } = await listLaunchRecords(state.root);
  return records.length + unreadable.length > 0;
}
