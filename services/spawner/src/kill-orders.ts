import type { KillOrder } from '@greenroom/redis-schema';
import type { SessionEnds } from './end-session.js';
import { isUnreadable, readLaunchRecord, withLaunchCookie } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { stopLaunch, stopStray } from './stop-strays.js';
import { untilAnswered } from './until-answered.js';

/**
 * Ends what had to end while this host could not be asked: its session was over for everybody else at once, and an order
 * was left here that names the launch. It stays until nothing of that launch is left; heartbeats repeat it.
 */
export class KillOrders {
  readonly #context: SpawnerContext;
  readonly #ends: SessionEnds;
  readonly #underWay = new Set<string>();

  constructor(context: SpawnerContext, ends: SessionEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  /** Returns at once. One that cannot be carried out now comes again. */
  take(orders: readonly KillOrder[]): void {
    for (const order of orders) {
      if (this.#underWay.has(order.launch)) continue;
      this.#underWay.add(order.launch);
      void this.#carryOut(order)
        .catch((error: unknown) => {
          if ((error as Error).name === 'AbortError') return;
          this.#context.logger.error('a kill order was not carried out yet', { error });
        })
        .finally(() => this.#underWay.delete(order.launch));
    }
  }

  async #carryOut(order: KillOrder): Promise<void> {
    const { redis, runs, state, leaving, logger } = this.#context;
    const { sessionId, launch, generation } = order;
    logger.warn('its session was ended while this host was unreachable', {
      session: shortId(sessionId),
      generation,
    });
    const run = runs.get(sessionId);
    if (run?.ref.launch === launch) await this.#ends.drop(run);
    else if (!runs.accountsFor(launch)) await this.#stopUnwatched(order);
    if (runs.accountsFor(launch) || (await this.#isLeft(order))) return;
    await untilAnswered(() => redis.hosts.clearKillOrder(state.hostId, order), leaving);
    await this.#deleteRoom(order);
  }

  async #stopUnwatched({ sessionId, launch }: KillOrder): Promise<void> {
    const record = await readLaunchRecord(this.#context.state.root, sessionId);
    const isOnRecord = record !== undefined && !isUnreadable(record) && record.launchId === launch;
    if (isOnRecord) await stopStray(this.#context, record);
    else await stopLaunch(this.#context, launch);
  }

  async #isLeft({ launch }: KillOrder): Promise<boolean> {
    return (await withLaunchCookie(launch)).length > 0;
  }

  /** The session may live on with another launch, in the same room. */
  async #deleteRoom({ sessionId, roomName }: KillOrder): Promise<void> {
    const { redis, leaving } = this.#context;
    const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
    if (found.status !== 'live') await this.#ends.deleteRoom(roomName);
  }
}
