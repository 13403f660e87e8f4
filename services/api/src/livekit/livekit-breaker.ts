import { CodedError } from '@greenroom/contracts';
import type { Gauge, Logger } from '@greenroom/service-kit';
import { RoomServiceClient } from 'livekit-server-sdk';
import pRetry from 'p-retry';
import type { LiveKitKeys } from './caller-token.js';

const ASK_LIMIT_SECONDS = 1;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 500;
const RETRY_AFTER_SECONDS = 2;

export interface LiveKitBreakerOptions {
  /** Resolves when LiveKit answers, whatever it says. */
  readonly ask: () => Promise<void>;
  /** 1 while starts are refused. */
  readonly gauge: Gauge;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/**
 * Refuses new starts while LiveKit does not answer: a caller is told so at once, instead of getting a room that is not
 * there. One sign of trouble (a call of ours that failed, a connection that closed) only makes it ask; it opens when that
 * question fails too, so one slow answer opens nothing. While it is open it goes on asking in the background, and no
 * caller's start is ever the trial; while it is closed it does nothing.
 */
export class LiveKitBreaker {
  readonly #options: LiveKitBreakerOptions;
  readonly #closing = new AbortController();
  #isOpen = false;
  #isChecking = false;

  constructor(options: LiveKitBreakerOptions) {
    this.#options = options;
    options.gauge.set(0);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws CodedError `livekit_unavailable` */
  admit(): void {
    if (this.#isOpen) throw new CodedError('livekit_unavailable', { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /** There is a sign that LiveKit may be away. Returns at once. */
  suspect(): void {
    if (this.#isChecking) return;
    this.#isChecking = true;
    void this.#check().finally(() => {
      this.#isChecking = false;
    });
  }

  /** Asks no more. */
  close(): void {
    this.#closing.abort();
  }

  async #check(): Promise<void> {
    const { ask, logger } = this.#options;
    if (await succeeds(ask())) return;
    this.#setOpen(true);
    logger.warn('LiveKit does not answer: starts are refused until it does');
    const asking = pRetry(() => ask().catch((error: unknown) => Promise.reject(explain(error))), {
      retries: Infinity,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      unref: true,
      signal: this.#closing.signal,
    });
    if (!(await succeeds(asking))) return;
    this.#setOpen(false);
    logger.info('LiveKit answers again: starts are taken');
  }

  #setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#options.gauge.set(isOpen ? 1 : 0);
  }
}

function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

function explain(error: unknown): Error {
  return new Error('LiveKit does not answer', { cause: error });
}

/** The question of the breaker: for one room that cannot exist. */
export function askLiveKit(config: LiveKitKeys & { livekitUrl: string }): () => Promise<void> {
  const client = new RoomServiceClient(config.livekitUrl, config.livekitApiKey, config.livekitApiSecret, {
    requestTimeout: ASK_LIMIT_SECONDS,
    failover: false,
  });
  return async () => {
    try {
      await client.listRooms(['greenroom-probe']);
    } catch (error) {
      if (isAway(error)) throw error;
    }
  };
}

/** Whether an error says that LiveKit did not answer; a refusal is an answer. */
export function isAway(error: unknown): boolean {
  const { status } = error as { status?: unknown };
  return typeof status !== 'number' || status >= 500;
}
