import { roomNameOf, type SchedulePolicy } from '@greenroom/contracts';
import { policySetting } from '@greenroom/service-kit';
import { nanoid } from 'nanoid';
import type { SpawnerContext } from './spawner-context.js';

/** Warm agents listed in one step; a larger gap takes several. */
const CANDIDATES = 20;
const ID_LENGTH = 24;
/** Between the clock of Redis and what we know of it. */
const CLOCK_MARGIN_MS = 5;

/** A timer takes at most 2^31 - 1 ms; the safety net looks long before. */
const LONGEST_WAIT_MS = 3_600_000;
/** Whatever is due at once is not looked at over and over. */
const SHORTEST_WAIT_MS = 10;

/**
 * Keeps every pool at its target, which follows its policy: what is too much ends, what is lacking is listed for launch.
 * Counting, ending and listing are one step, so that any number of spawners may do it at once.
 */
export class PoolKeeper {
  readonly #context: SpawnerContext;
  readonly #onListed: () => void;
  readonly #busy = new Set<string>();
  readonly #again = new Set<string>();
  #isOpen = false;
  #safetyNet: NodeJS.Timeout | undefined;
  readonly #looks = new Map<string, NodeJS.Timeout>();

  constructor(context: SpawnerContext, onListed: () => void) {
    this.#context = context;
    this.#onListed = onListed;
  }

  open(): void {
    this.#isOpen = true;
    this.refillAll();
    this.#safetyNet = setInterval(() => this.refillAll(), this.#context.config.poolRefillIntervalMs);
  }

  close(): void {
    this.#isOpen = false;
    clearInterval(this.#safetyNet);
    for (const timer of this.#looks.values()) clearTimeout(timer);
  }

  refillAll(): void {
    for (const profile of this.#context.profiles.keys()) this.refill(profile);
  }

  /** Brings the pool to its target. Returns at once. */
  refill(profile: string): void {
    if (!this.#isOpen || !this.#context.profiles.has(profile)) return;
    if (this.#busy.has(profile)) {
      this.#again.add(profile);
      return;
    }
    this.#busy.add(profile);
    void this.#refill(profile)
      .catch((error: unknown) => {
        this.#context.logger.warn('pool refill failed, the next one tries again', { error });
      })
      .finally(() => {
        this.#busy.delete(profile);
        if (this.#again.delete(profile)) this.refill(profile);
      });
  }

  async #refill(profile: string): Promise<void> {
    const { config, redis, logger } = this.#context;
    for (;;) {
      const ids = Array.from({ length: CANDIDATES }, () => `prewarm_${nanoid(ID_LENGTH)}`);
      const { created, heldOffMs, nextLookMs, scheduleDue } = await redis.pools.planRefill({
        profile,
        ids,
        rooms: ids.map(roomNameOf),
        warmMaxAgeMs: this.#context.profiles.get(profile)?.warmMaxAgeMs ?? config.warmMaxAgeMs,
        sessionTimeoutMs: config.sessionTimeoutMs,
      });
      if (scheduleDue !== undefined) await this.#readSchedule(profile, scheduleDue);
      this.#lookIn(profile, heldOffMs, scheduleDue === undefined ? nextLookMs : 0);
      if (created.length === 0) return;
      logger.info('pool refill listed', { profile, agents: created.length });
      this.#onListed();
      await redis.doorbell.ring(profile, { priority: 'pool', count: created.length });
      if (created.length < CANDIDATES) return;
    }
  }

  /** A clock that is slow must not find the entry that is over. */
  async #readSchedule(profile: string, policy: SchedulePolicy): Promise<void> {
    const { redis, logger } = this.#context;
    const setting = policySetting(policy, redis.clock.now() + CLOCK_MARGIN_MS);
    await redis.pools.setScheduledSize(profile, setting);
    logger.info('a pool follows its schedule', { profile, ...setting.scheduled });
  }

  /** One timer for each pool: when refills may go on, or the target changes by itself, or an agent gets too old. */
  #lookIn(profile: string, heldOffMs: number, nextLookMs: number | undefined): void {
    clearTimeout(this.#looks.get(profile));
    const waits = [heldOffMs > 0 ? heldOffMs : undefined, nextLookMs].filter((ms) => ms !== undefined);
    if (waits.length === 0 || !this.#isOpen) return;
    const ms = Math.max(Math.min(...waits, LONGEST_WAIT_MS), SHORTEST_WAIT_MS) + 1;
    this.#looks.set(
      profile,
      setTimeout(() => this.refill(profile), ms),
    );
  }
}
