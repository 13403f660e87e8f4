import { roomNameOf } from '@greenroom/contracts';
import { nanoid } from 'nanoid';
import type { SpawnerContext } from './spawner-context.js';

/** Warm agents listed in one step; a larger gap takes several. */
const CANDIDATES = 20;
const ID_LENGTH = 24;

/** Keeps every pool at its target. Counting and listing are one step, so that any number of spawners may do it at once. */
export class PoolKeeper {
  readonly #context: SpawnerContext;
  readonly #onListed: () => void;
  readonly #busy = new Set<string>();
  readonly #again = new Set<string>();
  #isOpen = false;
  #safetyNet: NodeJS.Timeout | undefined;
  readonly #heldOff = new Map<string, NodeJS.Timeout>();

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
    for (const timer of this.#heldOff.values()) clearTimeout(timer);
  }

  refillAll(): void {
    for (const profile of this.#context.profiles.keys()) this.refill(profile);
  }

  /** Lists what the pool lacks. Returns at once. */
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
      const { created, heldOffMs } = await redis.pools.planRefill({
        profile,
        ids,
        rooms: ids.map(roomNameOf),
        warmMaxAgeMs: this.#context.profiles.get(profile)?.warmMaxAgeMs ?? config.warmMaxAgeMs,
        sessionTimeoutMs: config.sessionTimeoutMs,
      });
      if (heldOffMs > 0) this.#refillIn(profile, heldOffMs);
      if (created.length === 0) return;
      logger.info('pool refill listed', { profile, agents: created.length });
      this.#onListed();
      await redis.doorbell.ring(profile, { priority: 'pool', count: created.length });
      if (created.length < CANDIDATES) return;
    }
  }

  #refillIn(profile: string, ms: number): void {
    clearTimeout(this.#heldOff.get(profile));
    this.#heldOff.set(
      profile,
      setTimeout(() => this.refill(profile), ms + 1),
    );
  }
}
