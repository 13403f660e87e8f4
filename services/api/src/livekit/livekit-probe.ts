import type { DependencyStatus } from '@greenroom/contracts';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { LiveKitKeys } from './caller-token.js';
import { isAway, type LiveKitBreaker } from './livekit-breaker.js';

const FRESH_MS = 5_000;
/** After this long a result says nothing any more, and the asker waits a moment for a new one. */
const STALE_MS = 15_000;
const WAIT_MS = 50;
const LIMIT_SECONDS = 2;

/** Knows whether LiveKit answers, without ever making an asker wait for it: the look goes on in the background. */
export class LiveKitProbe {
  readonly #client: RoomServiceClient;
  readonly #breaker: LiveKitBreaker;
  #last: { status: DependencyStatus; atMs: number } | undefined;
  #looking: Promise<void> | undefined;

  constructor(config: LiveKitKeys & { livekitUrl: string }, breaker: LiveKitBreaker) {
    this.#breaker = breaker;
    this.#client = new RoomServiceClient(config.livekitUrl, config.livekitApiKey, config.livekitApiSecret, {
      requestTimeout: LIMIT_SECONDS,
      failover: false,
    });
  }

  /** The last result, at most 15 s old; waits 50 ms at most. */
  async read(): Promise<DependencyStatus> {
    if (this.#breaker.isOpen) return { status: 'down', detail: 'cannot be reached; starts are refused' };
    const ageMs = this.#last ? performance.now() - this.#last.atMs : Infinity;
    if (ageMs > FRESH_MS) this.#looking ??= this.#look();
    if (ageMs > STALE_MS) {
      this.#last = undefined;
      await Promise.race([this.#looking, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
    }
    return this.#last?.status ?? { status: 'down', detail: 'no answer yet' };
  }

  async #look(): Promise<void> {
    const startedAt = performance.now();
    const status = await this.#ask();
    const atMs = performance.now();
    this.#last = { status: { ...status, latencyMs: Math.round(atMs - startedAt) }, atMs };
    this.#looking = undefined;
  }

  /** Asks for one room that cannot exist: the cheapest question that also proves the key. */
  async #ask(): Promise<DependencyStatus> {
    try {
      await this.#client.listRooms(['greenroom-probe']);
      return { status: 'up' };
    } catch (error) {
      if (isAway(error)) this.#breaker.suspect();
      return { status: 'down', detail: describe(error) };
    }
  }
}

/** For anyone to read: no addresses, no keys. */
function describe(error: unknown): string {
  const { name, status } = error as { name?: string; status?: number };
  if (name === 'TimeoutError') return `no answer within ${LIMIT_SECONDS} s`;
  if (status === 401) return 'LiveKit refuses our key';
  return status === undefined ? 'cannot be reached' : `answered ${status}`;
}
