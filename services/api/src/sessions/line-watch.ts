import { CodedError, type ErrorCode } from '@greenroom/contracts';
import {
  type EpochMs,
  type LineSummary,
  RedisFullError,
  type RedisSchema,
  RedisUnavailableError,
} from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';
import type { ApiMetrics } from '../metrics.js';

const LOOK_MS = 2_000;
/** While somebody waits for its word. */
const LOOK_AGAIN_MS = 500;

export interface LineWatchOptions {
  readonly redis: Pick<RedisSchema, 'sessions' | 'clock'>;
  readonly maxSessions: number;
  readonly metrics: Pick<ApiMetrics, 'line' | 'maxSessions'>;
  readonly logger: Logger;
}

/** What an api says of MAX_SESSIONS: of different ones that of the api started last holds for all. */
export interface WordOnMaxSessions {
  readonly maxSessions: number;
  /** When this api was started, by the clock of Redis. */
  readonly since: EpochMs;
}

/**
 * Says every few seconds that this api is there to be asked: only then silence speaks against a caller in line. It also says
 * when somebody asked and could not be heard, as soon as Redis takes it. The same step serves the line, with the
 * MAX_SESSIONS of the api that was started last; whatever is missed is found here.
 */
export class LineWatch {
  readonly #options: LineWatchOptions;
  readonly #startedAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isLooking = false;
  #hasMissed = false;
  /** By the clock of Redis, once that was heard. */
  #since: EpochMs | undefined;
  #maxSessions: number;

  constructor(options: LineWatchOptions) {
    this.#options = options;
    this.#maxSessions = options.maxSessions;
    options.metrics.maxSessions.set(options.maxSessions);
  }

  /** What holds for all apis, as far as this one knows. */
  get maxSessions(): number {
    return this.#maxSessions;
  }

  /** Said with each start too: that of a young api must not be granted what an older one allows. @throws RedisUnavailableError */
  async word(): Promise<WordOnMaxSessions> {
    const { redis, maxSessions } = this.#options;
    await redis.clock.known();
    this.#since ??= Math.round(redis.clock.now() - performance.now() + this.#startedAtMs);
    return { maxSessions, since: this.#since };
  }

  open(): void {
    this.#isOpen = true;
    void this.#look();
  }

  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  /** A question that failed, of whatever kind: perhaps it was one of somebody in line. */
  missed(error: unknown): void {
    if (this.#hasMissed || !wasUnheard(error)) return;
    this.#hasMissed = true;
    if (this.#isOpen && !this.#isLooking) this.#lookIn(LOOK_AGAIN_MS);
  }

  async #look(): Promise<void> {
    const { redis, logger } = this.#options;
    const unheard = this.#hasMissed;
    this.#isLooking = true;
    this.#hasMissed = false;
    try {
      const word = await this.word();
      const summary = await redis.sessions.admit({ ...word, unheard });
      this.#show(summary);
      this.#follow(summary.maxSessions ?? word.maxSessions);
    } catch (error) {
      this.#hasMissed = true;
      logger.debug('the waiting line was not looked at', { error });
    }
    this.#isLooking = false;
    if (this.#isOpen) this.#lookIn(this.#hasMissed ? LOOK_AGAIN_MS : LOOK_MS);
  }

  #show({ queued, expectedTurnMs, served, waitedMs, abandoned }: LineSummary): void {
    const { metrics } = this.#options;
    metrics.line.length.set(queued);
    metrics.line.expectedWaitSeconds.set(expectedTurnMs / 1000);
    metrics.line.served.set(served);
    metrics.line.waitedSeconds.set(waitedMs / 1000);
    metrics.line.abandoned.set(abandoned);
  }

  #follow(maxSessions: number): void {
    const { metrics, logger, maxSessions: own } = this.#options;
    if (maxSessions === this.#maxSessions) return;
    this.#maxSessions = maxSessions;
    metrics.maxSessions.set(maxSessions);
    if (maxSessions === own) logger.info('MAX_SESSIONS of this api holds again', { maxSessions });
    else {
      logger.warn('apis differ in MAX_SESSIONS: that of the one started last holds', {
        holds: maxSessions,
        ofThisApi: own,
      });
    }
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
  }
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set(['recovering', 'livekit_unavailable']);

/** A Redis that is full hears those in line all the same. */
function wasUnheard(error: unknown): boolean {
  if (error instanceof CodedError) return REFUSALS.has(error.code);
  return error instanceof RedisUnavailableError && !(error instanceof RedisFullError);
}
