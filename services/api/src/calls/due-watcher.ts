import { callReducer } from '@greenroom/dead-air';
import type { CallRecord, RedisSchema } from '@greenroom/redis-schema';
import type { Histogram, Logger } from '@greenroom/service-kit';
import type { CommandSender } from './command-sender.js';

/** Somebody else's change that is due sooner comes with a wake. */
const LOOK_MS = 1_000;
/** Many calls that are due one after the other are taken together. */
const PAUSE_MS = 5;
const TAKEN_AT_ONCE = 200;

export interface DueWatcherOptions {
  readonly redis: Pick<RedisSchema, 'calls' | 'bus' | 'clock'>;
  readonly sender: Pick<CommandSender, 'deliver'>;
  /** From when something was due until it was decided, in seconds. */
  readonly lateness: Histogram;
  readonly logger: Pick<Logger, 'warn' | 'info' | 'error'>;
}

/**
 * Acts when the time of a call has come. One timer for all calls: it looks when the nearest of them is due, and at least once
 * a second. Every api has one; of those that look at the same moment one gets the call, and the others see it again if that
 * one dies.
 */
export class DueWatcher {
  readonly #options: DueWatcherOptions;
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When it looks next, by the clock of Redis. */
  #armedFor = Number.POSITIVE_INFINITY;
  #looking: Promise<void> | undefined;
  /** What became due nearer while it looked. */
  #nearest = Number.POSITIVE_INFINITY;
  #isCutOff = false;

  constructor(options: DueWatcherOptions) {
    this.#options = options;
  }

  open(): void {
    const { redis, sender } = this.#options;
    const unwatch = redis.calls.watch({
      changed: (call, outbox) => {
        if (outbox.length > 0) sender.deliver(call, outbox);
        if (call.dueAt !== undefined) this.#lookAt(call.dueAt);
      },
      due: (at) => this.#lookAt(at),
    });
    this.#closed.signal.addEventListener('abort', unwatch);
    redis.bus.onGap(() => this.#lookAt(redis.clock.now()));
    void this.#listen();
    this.#lookAt(redis.clock.now());
  }

  /** Takes nothing more; what was taken is done first. */
  async close(): Promise<void> {
    this.#closed.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Until Redis takes the subscription, the look of every second has to do. */
  async #listen(): Promise<void> {
    const { bus, clock } = this.#options.redis;
    while (!this.#closed.signal.aborted) {
      try {
        const leave = await bus.listen('calls:wake', (message) =>
          this.#lookAt(dueIn(message) ?? clock.now()),
        );
        this.#closed.signal.addEventListener('abort', () => void leave());
        this.#lookAt(clock.now());
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
      }
    }
  }

  #lookAt(dueAt: number): void {
    this.#nearest = Math.min(this.#nearest, dueAt);
    if (this.#closed.signal.aborted || this.#looking !== undefined || this.#nearest >= this.#armedFor) return;
    this.#arm(this.#nearest);
  }

  #arm(dueAt: number): void {
    const { clock } = this.#options.redis;
    this.#armedFor = Math.min(dueAt, clock.now() + LOOK_MS);
    clearTimeout(this.#timer);
    // Never before its time: nothing would be due yet.
    const inMs = Math.max(PAUSE_MS, Math.ceil(this.#armedFor - clock.now()) + 1);
    this.#timer = setTimeout(() => this.#look(), inMs);
  }

  #look(): void {
    this.#nearest = Number.POSITIVE_INFINITY;
    this.#looking = this.#takeDue().then((nextDueAt) => {
      this.#looking = undefined;
      if (!this.#closed.signal.aborted) this.#arm(Math.min(this.#nearest, nextDueAt));
    });
  }

  /** Answers when something is due next. Never rejects. */
  async #takeDue(): Promise<number> {
    const { redis, sender } = this.#options;
    try {
      const { now, calls, outboxes, nextDueAt } = await redis.calls.takeDue({ limit: TAKEN_AT_ONCE });
      this.#isBack();
      for (const { call, entries } of outboxes) sender.deliver(call, entries);
      await Promise.all(calls.map((call) => this.#act(call, now)));
      return nextDueAt ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      this.#wasCutOff(error);
      return Number.POSITIVE_INFINITY;
    }
  }

  /** What is to be sent for it reaches `watch`. Not done: it is taken again when the lease is over. */
  async #act(call: CallRecord, now: number): Promise<void> {
    const { redis, lateness, logger } = this.#options;
    try {
      const result = await redis.calls.change(call.callId, callReducer({ kind: 'time', at: now }), {
        known: call,
      });
      if (result.status === 'changed' && call.dueAt !== undefined) {
        lateness.observe(Math.max(0, redis.clock.now() - call.dueAt) / 1000);
      }
    } catch (error) {
      logger.warn('a call whose time has come is looked at again soon', { error });
    }
  }

  #wasCutOff(error: unknown): void {
    if (this.#isCutOff) return;
    this.#isCutOff = true;
    this.#options.logger.warn('calls cannot be watched: nobody is asked or hung up on', { error });
  }

  #isBack(): void {
    if (this.#isCutOff) this.#options.logger.info('calls are watched again');
    this.#isCutOff = false;
  }
}

function dueIn(message: unknown): number | undefined {
  const dueAt = (message as { dueAt?: unknown } | null | undefined)?.dueAt;
  return typeof dueAt === 'number' ? dueAt : undefined;
}
