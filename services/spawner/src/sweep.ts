import { lifeBeganAtMs } from '@greenroom/redis-schema';
import { settleUnrecorded } from './adopt.js';
import type { SessionEnds } from './end-session.js';
import { deleteOldFiles, timesFileOf } from './logs/index.js';
import { countZombieOrphans, type ProcessTable, scanProcesses } from './process/index.js';
import { endLostRuns } from './lost-runs.js';
import type { OurRoom } from './rooms/room-service.js';
import type { SessionLifecycle } from './session-lifecycle.js';
import type { SpawnerContext } from './spawner-context.js';
import { stopLaunch } from './stop-strays.js';
import type { Supervisor } from './supervisor.js';

interface Parts {
  lifecycle: SessionLifecycle;
  ends: SessionEnds;
  supervisor: Supervisor;
}

/** What one sweep found and set right. */
export interface SweepReport {
  repairedIndexes: number;
  overdue: number;
  sessionsWithoutProcess: number;
  processesWithoutSession: number;
  roomsWithoutSession: number;
}

/** Between the clocks of LiveKit, which tells whole seconds, and of Redis. */
const CLOCKS_MARGIN_MS = 5000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A launch that began while the sweep was looking has a young file. */
const EVENTS_MARGIN_MS = 60_000;

/**
 * Looks for whatever is stale: past its deadline, a session without its process, a process or a room without its
 * session, an index that disagrees with its hashes. Never scans keys. What cannot be asked is unknown and ends nothing.
 */
export class StaleSweep {
  readonly #context: SpawnerContext;
  readonly #parts: Parts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<SweepReport | undefined> | undefined;

  constructor(context: SpawnerContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  open(): void {
    this.#timer = setInterval(() => void this.run(), this.#context.config.staleSweepIntervalMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One sweep; a second one that is asked for meanwhile is the same. Never rejects. */
  run(): Promise<SweepReport | undefined> {
    this.#running ??= this.#sweep()
      .catch((error: unknown) => {
        if ((error as Error).name !== 'AbortError')
          this.#context.logger.warn('sweep not finished', { error });
        return undefined;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #sweep(): Promise<SweepReport | undefined> {
    const { redis, logger, epoch } = this.#context;
    const indexes = await redis.sessions.sweepIndexes();
    if (indexes.epoch === undefined || indexes.epoch !== epoch) {
      // The data of Redis is gone, or it is another's by now: what it does not know proves nothing.
      logger.warn('not the data that we registered in; the sweep touches nothing', { epoch: indexes.epoch });
      return undefined;
    }
    const report: SweepReport = {
      repairedIndexes: indexes.repaired,
      overdue: await this.#count('overdue', this.#endOverdue(indexes.overdue)),
      sessionsWithoutProcess: await this.#count('sessions', this.#settleSessionsWithoutProcess()),
      processesWithoutSession: await this.#count('processes', this.#stopProcessesWithoutSession()),
      roomsWithoutSession: await this.#count('rooms', this.#deleteRoomsWithoutSession()),
    };
    await this.#deleteOldFiles();
    const found = Object.values(report).some((count) => count > 0);
    logger.log(found ? 'warn' : 'debug', 'swept', report);
    return report;
  }

  /** What one part cannot reach must not keep the others from their work. */
  async #count(part: string, work: Promise<number>): Promise<number> {
    try {
      return await work;
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      this.#context.logger.warn('a part of the sweep was not finished', { part, error });
      return 0;
    }
  }

  async #endOverdue(sessionIds: readonly string[]): Promise<number> {
    const { redis } = this.#context;
    let ended = 0;
    for (const sessionId of sessionIds) {
      const found = await redis.sessions.read(sessionId);
      if (found.status !== 'live' || found.session.status === 'ending') continue;
      const isWarm = found.session.owner === 'pool';
      const answer = await redis.sessions.requestEnd({
        sessionId,
        reason: isWarm ? 'warm_agent_retired' : 'session_timeout',
        by: 'spawner',
        // It may get a caller right now, and with it another deadline.
        onlyPastDeadline: true,
      });
      if (answer.status !== 'refused') ended += 1;
    }
    return ended;
  }

  async #settleSessionsWithoutProcess(): Promise<number> {
    const { redis, runs, state } = this.#context;
    const mine = await redis.hosts.sessionsOf(state.hostId);
    let settled = 0;
    for (const sessionId of mine.filter((id) => runs.get(id) === undefined)) {
      if (await settleUnrecorded(this.#context, this.#parts, sessionId)) settled += 1;
    }
    return settled;
  }

  /**
   * Our launches run under our prefix, and a run is listed before its process exists and until its tree is gone: a
   * process that no run accounts for has lost its session.
   */
  async #stopProcessesWithoutSession(): Promise<number> {
    // Whose process is whose cannot be told where a record cannot be read.
    const isClear = this.#context.leftAlone.size === 0;
    const strays = isClear ? this.#launchesWithoutRun(await scanProcesses()) : [];
    for (const launch of strays) await stopLaunch(this.#context, launch);
    const lost = await endLostRuns(this.#context, this.#parts.ends);
    this.#parts.ends.retryDrops();
    return strays.length + lost;
  }

  #launchesWithoutRun(table: ProcessTable): string[] {
    const { runs, state, logger } = this.#context;
    const zombies = countZombieOrphans(table);
    if (zombies > 0) logger.warn('zombies that only an init can reap; put tini -s in front', { zombies });
    const found = new Set<string>();
    for (const { cookie, hasEnded } of table.entries.values()) {
      if (hasEnded || cookie.kind !== 'launch' || runs.accountsFor(cookie.launchId)) continue;
      if (cookie.launchId.startsWith(`${state.launchPrefix}-`)) found.add(cookie.launchId);
    }
    return [...found];
  }

  /** Sessions are written before their rooms are made, so rooms are listed first and sessions read afterwards. */
  async #deleteRoomsWithoutSession(): Promise<number> {
    const { rooms, redis, deployment } = this.#context;
    if (deployment === undefined) return 0;
    const ours = (await rooms.listOurs()).filter((room) => room.deployment === deployment);
    let deleted = 0;
    for (const room of ours) {
      const found = await redis.sessions.read(room.sessionId);
      if (found.status === 'live' && found.session.status !== 'error') continue;
      if (await this.#mayBeLost(room)) continue;
      await this.#parts.ends.deleteRoom(room.name);
      deleted += 1;
    }
    return deleted;
  }

  /** A room of an earlier life of the data, with a caller in it: its host may be away, and know of the call. */
  async #mayBeLost(room: OurRoom): Promise<boolean> {
    const { epoch, rooms } = this.#context;
    if (epoch === undefined) return true;
    const isOfThisLife = room.createdAtMs > lifeBeganAtMs(epoch) + CLOCKS_MARGIN_MS;
    return !isOfThisLife && (await rooms.hasCaller(room.name));
  }

  async #deleteOldFiles(): Promise<void> {
    const { config, runs, state } = this.#context;
    const nowMs = Date.now();
    const live = runs.all();
    const logs = live.map((run) => state.logFile(run.id, run.ref.generation));
    const kinds = [
      { suffix: '.log', inUse: new Set(logs) },
      { suffix: '.times', inUse: new Set(logs.map(timesFileOf)) },
    ];
    for (const kind of kinds) {
      await deleteOldFiles({
        folder: state.agentLogs,
        nowMs,
        maxAgeMs: config.logRetentionDays * DAY_MS,
        ...kind,
      });
    }
    // What people said goes with the session; here only what a crash has left.
    await deleteOldFiles({
      folder: state.events,
      suffix: '.jsonl',
      nowMs,
      maxAgeMs: EVENTS_MARGIN_MS,
      inUse: new Set(live.map((run) => run.eventsFile)),
    });
  }
}
