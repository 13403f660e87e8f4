import { CodedError, type ErrorCode } from '@greenroom/contracts';
import { RedisFullError, type RedisSchema, RedisUnavailableError } from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';

const LOOK_MS = 2_000;
/** While somebody waits for its word. */
const LOOK_AGAIN_MS = 500;

export interface LineWatchOptions {
  readonly redis: Pick<RedisSchema, 'sessions'>;
  readonly maxSessions: number;
  readonly logger: Logger;
}

/**
 * Says every few seconds that this api is there to be asked: only then silence speaks against a caller in line. It also says
 * when somebody asked and could not be heard, as soon as Redis takes it. The same step serves the line, with the
 * MAX_SESSIONS of this api; whatever is missed is found here.
 */
export class LineWatch {
  readonly #options: LineWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isLooking = false;
  #hasMissed = false;

  constructor(options: LineWatchOptions) {
    this.#options = options;
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
    const { redis, maxSessions, logger } = this.#options;
    const unheard = this.#hasMissed;
    this.#isLooking = true;
    this.#hasMissed = false;
    try {
      await redis.sessions.admit({ maxSessions, unheard });
    } catch (error) {
      this.#hasMissed = true;
      logger.debug('the waiting line was not looked at', { error });
    }
    this.#isLooking = false;
    if (this.#isOpen) this.#lookIn(this.#hasMissed ? LOOK_AGAIN_MS : LOOK_MS);
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
