import { CodedError } from '@greenroom/contracts';
import type { Gauge } from '@greenroom/service-kit';
import type { Client } from './authenticate.js';

/** Of one client: an address, a key, or all admins together. A key stands for many users. */
const PER_CLIENT: Readonly<Record<Client['kind'], number>> = { open: 100, keyed: 1_000, admin: 200 };
/** Of all together: each may keep 64 KiB for a slow reader. */
const TOTAL = 2_000;
/** When a place may be free again. */
const RETRY_AFTER_SECONDS = 10;

/** Answers that have no end of their own. They are bounded, and a server that closes ends them. */
export class OpenStreams {
  readonly #ends = new Map<() => void, string>();
  readonly #gauge: Pick<Gauge, 'set'> | undefined;

  constructor(gauge?: Pick<Gauge, 'set'>) {
    this.#gauge = gauge;
  }

  /**
   * @returns what the stream calls when it is over
   * @throws CodedError `too_many_streams`
   */
  open(client: Client, address: string, end: () => void): () => void {
    const key = client.kind === 'open' ? `address:${address}` : client.scope;
    const sameClient = [...this.#ends.values()].filter((it) => it === key).length;
    if (sameClient >= PER_CLIENT[client.kind] || this.#ends.size >= TOTAL) {
      throw new CodedError('too_many_streams', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    this.#ends.set(end, key);
    this.#gauge?.set(this.size);
    return () => {
      this.#ends.delete(end);
      this.#gauge?.set(this.size);
    };
  }

  endAll(): void {
    for (const end of this.#ends.keys()) end();
    this.#ends.clear();
  }

  get size(): number {
    return this.#ends.size;
  }
}
