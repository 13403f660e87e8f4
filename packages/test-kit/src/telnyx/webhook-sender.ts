import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, TelnyxEvent } from './types.js';
import type { WebhookKey } from './webhook-key.js';

const PATH = '/api/webhooks/telnyx';
const ANSWER_WITHIN_MS = 2_000;
const ATTEMPTS_PER_URL = 3;
const RETRY_AFTER_MS = 100;

export interface SenderOptions {
  /** Each webhook is on the way for a random time up to this, so that they overtake each other. Default 0. */
  readonly maxDelayMs?: number;
  /** Share of the webhooks that arrive twice. Default 0. */
  readonly doubled?: number;
}

/**
 * Delivers webhooks to the apis, one after the other as a load balancer would. What is not answered with 2xx within 2 s is sent
 * again, signed anew, to the next one.
 */
export class WebhookSender {
  readonly deliveries: Delivery[] = [];
  #urls: readonly string[] = [];
  #next = 0;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  /** @param random numbers in [0, 1) that a seed repeats */
  constructor(
    private readonly key: WebhookKey,
    private readonly random: () => number,
    private readonly options: SenderOptions,
  ) {
    // Each webhook on its way listens for the end.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** @param apiUrls from now on; none: webhooks are lost */
  deliverTo(apiUrls: readonly string[]): void {
    this.#urls = apiUrls.map((url) => new URL(PATH, url).href);
  }

  send(event: TelnyxEvent): void {
    const { maxDelayMs = 0, doubled = 0 } = this.options;
    const copies = this.random() < doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#begin(event, Math.round(this.random() * maxDelayMs));
  }

  /** Resolves when nothing is on the way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  #begin(event: TelnyxEvent, delayMs: number): void {
    const delivery = this.#deliver(event, delayMs).catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) throw error;
    });
    this.#underWay.add(delivery);
    void delivery.finally(() => this.#underWay.delete(delivery));
  }

  async #deliver(event: TelnyxEvent, delayMs: number): Promise<void> {
    const { signal } = this.#stopped;
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
    const first = this.#next++;
    for (let attempt = 1; attempt <= ATTEMPTS_PER_URL * this.#urls.length; attempt += 1) {
      if (attempt > 1) await sleep(RETRY_AFTER_MS, undefined, { signal });
      // The next one of this event: counted over all events, each attempt could meet the same api.
      const url = this.#urls[(first + attempt - 1) % this.#urls.length] ?? '';
      const status = await this.#post(event, attempt, url);
      if (status !== undefined && status >= 200 && status < 300) return;
    }
  }

  async #post(event: TelnyxEvent, attempt: number, url: string): Promise<number | undefined> {
    const body = JSON.stringify({ data: event, meta: { attempt, delivered_to: url } });
    const at = Date.now();
    const status = await postWebhook(url, body, this.key.headersFor(body), this.#stopped.signal);
    this.deliveries.push({ event, url, attempt, at, answeredAt: Date.now(), status });
    return status;
  }
}

/** @returns the status; undefined where no answer came in time */
export async function postWebhook(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}
