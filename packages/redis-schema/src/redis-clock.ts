import type { Redis } from 'ioredis';
import type { EpochMs } from './types.js';

/**
 * The clock of Redis, which all deadlines are counted on, as it was last heard and carried on by our own monotonic one:
 * however the clock of this machine is set, this one stays.
 */
export class RedisClock {
  /** What `performance.now()` lacks to it; late by as long as the answer was on its way. */
  #offsetMs: number | undefined;

  /** Asks at each (re)connection: another server may be there now. */
  follow(connection: Redis): void {
    connection.on('ready', () => {
      connection
        .time()
        .then(([seconds, microseconds]) => this.hear(Number(seconds) * 1000 + Number(microseconds) / 1000))
        // Whatever is asked next says it too.
        .catch(() => undefined);
    });
  }

  hear(nowMs: EpochMs): void {
    this.#offsetMs = nowMs - performance.now();
  }

  get isKnown(): boolean {
    return this.#offsetMs !== undefined;
  }

  /** Until Redis was heard, the clock of this machine has to do. */
  now(): EpochMs {
    return this.#offsetMs === undefined ? Date.now() : performance.now() + this.#offsetMs;
  }
}
