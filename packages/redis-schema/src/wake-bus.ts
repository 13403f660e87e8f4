import type { Redis } from 'ioredis';
import { RedisUnavailableError, toSchemaError } from './errors.js';

export type Listener = (message: unknown) => void;

interface Channel {
  readonly listeners: Set<Listener>;
  /** Settles with the first answer of Redis, for whoever listens meanwhile. */
  readonly subscribed: Promise<unknown>;
}

const PING_INTERVAL_MS = 10_000;
const PING_LIMIT_MS = 3_000;

/**
 * Messages that only wake: whoever misses one finds the same fact in Redis a little later. `onGap` is called when
 * messages may have been missed, so that the facts are looked at now.
 */
export class WakeBus {
  readonly #subscriber: Redis;
  readonly #publisher: Redis;
  readonly #keyPrefix: string;
  readonly #limitMs: number;
  readonly #channels = new Map<string, Channel>();
  readonly #gapListeners = new Set<() => void>();
  readonly #pings: NodeJS.Timeout;

  constructor(subscriber: Redis, publisher: Redis, keyPrefix: string, limitMs: number) {
    this.#subscriber = subscriber;
    this.#publisher = publisher;
    this.#keyPrefix = keyPrefix;
    this.#limitMs = limitMs;
    subscriber.on('message', (channel: string, text: string) => this.#deliver(channel, text));
    subscriber.on('ready', () => void this.#announceGap());
    this.#pings = setInterval(() => void this.#ping(), PING_INTERVAL_MS);
    this.#pings.unref();
  }

  /** Calls back at every (re)connection: whatever was sent before it may be lost. */
  onGap(listener: () => void): void {
    this.#gapListeners.add(listener);
  }

  /** @throws RedisUnavailableError when the subscription is not confirmed in time; then nobody listens */
  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const name = this.#keyPrefix + channel;
    const joined = this.#channels.get(name) ?? this.#subscribe(name);
    joined.listeners.add(listener);
    const leave = async (): Promise<void> => {
      joined.listeners.delete(listener);
      if (joined.listeners.size > 0 || this.#channels.get(name) !== joined) return;
      this.#channels.delete(name);
      await this.#unsubscribe(name);
    };
    try {
      await withLimit(joined.subscribed, this.#limitMs, 'subscribe');
    } catch (error) {
      void leave();
      throw toSchemaError(error, 'subscribe');
    }
    return leave;
  }

  /** @throws RedisUnavailableError when Redis does not take it in time */
  async publish(channel: string, message: unknown): Promise<void> {
    try {
      await this.#publisher.publish(this.#keyPrefix + channel, JSON.stringify(message));
    } catch (error) {
      throw toSchemaError(error, 'publish');
    }
  }

  close(): void {
    clearInterval(this.#pings);
  }

  #subscribe(name: string): Channel {
    const channel: Channel = { listeners: new Set(), subscribed: this.#subscriber.subscribe(name) };
    this.#channels.set(name, channel);
    return channel;
  }

  async #unsubscribe(name: string): Promise<void> {
    await withLimit(this.#subscriber.unsubscribe(name), this.#limitMs, 'unsubscribe').catch(() => undefined);
  }

  #deliver(channel: string, text: string): void {
    const message = parse(text);
    for (const listener of this.#channels.get(channel)?.listeners ?? []) listener(message);
  }

  /** Only once Redis has taken the subscriptions again: what is looked at sooner may change before they hold. */
  async #announceGap(): Promise<void> {
    await withLimit(this.#subscriber.ping(), PING_LIMIT_MS, 'ping').catch(() => undefined);
    for (const listener of this.#gapListeners) listener();
  }

  /** A peer that vanished without a word would otherwise look connected for ever. */
  async #ping(): Promise<void> {
    if (this.#subscriber.status !== 'ready') return;
    try {
      await withLimit(this.#subscriber.ping(), PING_LIMIT_MS, 'ping');
    } catch {
      this.#subscriber.disconnect(true);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Bounds a command of a connection that has no time limit of its own. */
export async function withLimit<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RedisUnavailableError(`${what}: no answer in ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
