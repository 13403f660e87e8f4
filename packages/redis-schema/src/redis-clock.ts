import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';
import type { EpochMs } from './types.js';

/** So long a better measurement is trusted: clocks drift apart by less than a millisecond meanwhile. */
const WINDOW_MS = 60_000;

/**
 * The clock of Redis, which all deadlines are counted on, as it was heard and carried on by our own monotonic one: however
 * the clock of this machine is set, this one stays. What we hear is late by as long as the answer was on its way and we
 * were busy, never early: so the latest reading of a minute or two counts.
 */
export class RedisClock {
  /** What `performance.now()` lacks to it: the most that was heard in this window, and in the one before. */
  #offsetMs = Number.NEGATIVE_INFINITY;
  #earlierMs = Number.NEGATIVE_INFINITY;
  #windowEndsMs = 0;
  #connection: Redis | undefined;
  #asking: Promise<void> | undefined;

  /** Asks at each (re)connection: another server, with another clock, may be there now. */
  follow(connection: Redis): void {
    this.#connection = connection;
    connection.on('ready', () => {
      this.#forget();
      // Whatever is asked next says it too.
      this.#ask(connection).catch(() => undefined);
    });
  }

  /** Resolves at once where Redis was heard, else once it was asked. @throws RedisUnavailableError when it does not answer */
  async known(): Promise<void> {
    if (this.isKnown || this.#connection === undefined) return;
    await this.#ask(this.#connection).catch((error: unknown) => {
      throw toSchemaError(error, 'time');
    });
  }

  hear(nowMs: EpochMs): void {
    const atMs = performance.now();
    if (atMs > this.#windowEndsMs) {
      this.#earlierMs = this.#offsetMs;
      this.#offsetMs = Number.NEGATIVE_INFINITY;
      this.#windowEndsMs = atMs + WINDOW_MS;
    }
    this.#offsetMs = Math.max(this.#offsetMs, nowMs - atMs);
  }

  get isKnown(): boolean {
    return Number.isFinite(this.#offsetMs);
  }

  /** Until Redis was heard, the clock of this machine has to do. */
  now(): EpochMs {
    if (!this.isKnown) return Date.now();
    return performance.now() + Math.max(this.#offsetMs, this.#earlierMs);
  }

  /** However many want to know, it is asked once. */
  #ask(connection: Redis): Promise<void> {
    this.#asking ??= connection
      .time()
      .then(([seconds, microseconds]) => this.hear(Number(seconds) * 1000 + Number(microseconds) / 1000))
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  #forget(): void {
    this.#offsetMs = Number.NEGATIVE_INFINITY;
    this.#earlierMs = Number.NEGATIVE_INFINITY;
    this.#windowEndsMs = 0;
  }
}
