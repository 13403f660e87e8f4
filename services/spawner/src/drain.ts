import { setTimeout as sleep } from 'node:timers/promises';
import { type EpochMs, RedisUnavailableError, type SessionRecord } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import type { SessionEnds } from './end-session.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { untilAnswered } from './until-answered.js';

/** A timer takes at most 2^31 - 1 ms and would otherwise fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Beyond the grace, for trees that must be killed while Redis cannot confirm what becomes of their sessions. */
const KILL_MARGIN_MS = 8000;

/**
 * This host takes no more work: its warm agents end, its calls have until DRAIN_TIMEOUT, and those left then get an agent
 * on another host, in the same room; with no other host they end. Either because the spawner stops, or because an operator
 * wants it: then the host stays up and idle until the wish is taken back.
 */
export class HostDrain {
  readonly #context: SpawnerContext;
  readonly #ends: SessionEnds;
  /** Of an operator's wish. */
  #wantedSince: EpochMs | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: SpawnerContext, ends: SessionEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  /** What a heartbeat says of an operator's wish. Returns at once; called again it goes on with what is left. */
  follow(wantedSince: EpochMs | undefined): void {
    const { logger, runs } = this.#context;
    if (wantedSince === undefined) {
      if (this.#wantedSince !== undefined) logger.info('an operator takes the drain of this host back');
      this.close();
      return;
    }
    if (this.#wantedSince === undefined) logger.info('an operator drains this host', { calls: runs.size });
    this.#wantedSince = wantedSince;
    this.#endWarm().catch((error: unknown) => this.#report(error));
    this.#moveWhenDue();
  }

  close(): void {
    this.#wantedSince = undefined;
    clearTimeout(this.#timer);
  }

  /** For a spawner that stops: resolves when nothing runs here any more, or an alarm says what is left. */
  async finish(hurry: AbortSignal): Promise<void> {
    const { runs, config, logger } = this.#context;
    await this.#endWarm();
    if (runs.size > 0) logger.info('draining, calls go on', { calls: runs.size });
    const limit = AbortSignal.timeout(Math.min(config.drainTimeoutMs, LONGEST_TIMER_MS));
    await runs.untilNone(AbortSignal.any([hurry, limit])).catch(() => undefined);
    await this.#moveAll();
    await this.#endUnclaimed().catch((error: unknown) => {
      logger.warn('starts that nobody has claimed could not be ended', { error });
    });
  }

  #moveWhenDue(): void {
    const { config, redis } = this.#context;
    const leftMs = (this.#wantedSince ?? 0) + config.drainTimeoutMs - redis.clock.now();
    clearTimeout(this.#timer);
    const move = (): void => void this.#moveAll().catch((error: unknown) => this.#report(error));
    this.#timer = setTimeout(move, Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS)).unref();
  }

  async #endWarm(): Promise<void> {
    const warm = this.#context.runs.all().filter((run) => run.session.owner === 'pool');
    await Promise.all(warm.map((run) => this.#endIfWarm(run)));
  }

  /** What cannot be asked may have been given to a caller: it waits with the calls. */
  async #endIfWarm(run: AgentRun): Promise<void> {
    const { redis, logger } = this.#context;
    try {
      for (;;) {
        const found = await redis.sessions.read(run.id);
        if (found.status !== 'live' || found.session.owner !== 'pool') return;
        if (found.session.status === 'ending' || (await this.#askIfStill(found.session))) {
          return await this.#ends.end(run.id);
        }
      }
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      logger.warn('a warm agent cannot be ended yet', { session: shortId(run.id), error });
    }
  }

  /** It may be pooled, or given to a caller, between the look and the step: then it is looked at again. */
  async #askIfStill({ id, status }: SessionRecord): Promise<boolean> {
    const answer = await this.#context.redis.sessions.requestEnd({
      sessionId: id,
      reason: 'host_drained',
      by: 'spawner',
      expectStatus: status,
    });
    return answer.status !== 'refused';
  }

  async #moveAll(): Promise<void> {
    const { runs, config, logger } = this.#context;
    if (runs.size > 0) logger.warn('the time of this drain is over', { calls: runs.size });
    const limit = sleep(config.terminationGraceMs + KILL_MARGIN_MS, undefined, { ref: false });
    await Promise.race([Promise.all(runs.all().map((run) => this.#moveOrEnd(run))), limit]);
  }

  /** Its tree is verified gone before another host may begin. Never rejects. */
  async #moveOrEnd(run: AgentRun): Promise<void> {
    const { runs } = this.#context;
    // Until its session is another host's, nobody here may take it for one that has lost its process.
    runs.expect(run.ref.launch);
    try {
      // One that is being cleared away after a crash is listed anew by whoever does that.
      if (run.phase === 'settling') return await runs.untilGone(run, this.#context.leaving);
      await this.#ends.drop(run);
      if (runs.get(run.id) !== run) await this.#move(run);
      // Something of it has survived: no other host may begin beside it.
      else await this.#ends.endNow(run, 'host_drained');
    } catch (error) {
      this.#report(error);
    } finally {
      runs.unexpect(run.ref.launch);
    }
  }

  async #move({ ref }: AgentRun): Promise<void> {
    const { redis, state, leaving, logger } = this.#context;
    const from = { host: state.hostId, cause: 'host_drained' } as const;
    const answer = await untilAnswered(() => redis.sessions.move(ref, from), leaving);
    logger.info('a call leaves this host', { session: shortId(ref.sessionId), outcome: answer.status });
    const isEnding =
      answer.status === 'ending' || (answer.status === 'superseded' && answer.now === 'ending');
    if (isEnding) await this.#ends.endIfAsked(ref.sessionId);
  }

  async #endUnclaimed(): Promise<void> {
    const { redis, state } = this.#context;
    const rooms = await redis.hosts.endUnclaimed(state.hostId);
    await Promise.all(rooms.map((roomName) => this.#ends.deleteRoom(roomName)));
  }

  #report(error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    this.#context.logger.warn('a drain was held up; the next heartbeat goes on', { error });
  }
}
