import type { Logger } from '@greenroom/service-kit';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { EventReader } from './event-reader.js';
import type { Feed } from './feed.js';
import { SseConnection } from './sse-connection.js';
import { parseLastEventId } from './stream-id.js';

/** Shorter than the time after which the usual proxy gives a silent connection up. */
const HEARTBEAT_MS = 15_000;
/**
 * A stream that holds a place in line is over after this time, and who is there comes back at once. A peer that vanished
 * without a word does not: else what we write to it would hold its place for as long as the kernel believes in it, a quarter
 * of an hour.
 */
const LINE_STREAM_MS = 60_000;

export interface ReaderHubOptions {
  readonly heartbeatMs?: number | undefined;
  /** After which the stream of somebody in line is over. */
  readonly lineStreamMs?: number | undefined;
  /** How long a reader may take nothing of what is kept for it. */
  readonly stallLimitMs?: number | undefined;
}

/** All readers of event streams that this instance has. What is done for each of them now and then is done here, for all. */
export class ReaderHub {
  readonly #context: Pick<ApiContext, 'redis' | 'streams' | 'lineWatch'>;
  readonly #logger: Logger;
  readonly #options: ReaderHubOptions;
  readonly #readers = new Set<EventReader>();
  #timer: NodeJS.Timeout | undefined;
  #hearsOfLives: Promise<void> | undefined;
  #isRedisAway = false;
  #answeredAt = Date.now();

  constructor(
    context: Pick<ApiContext, 'redis' | 'streams' | 'lineWatch' | 'logger'>,
    options: ReaderHubOptions = {},
  ) {
    this.#context = context;
    this.#logger = context.logger;
    this.#options = options;
  }

  /**
   * Answers a request with a stream, from what the client has on (Last-Event-ID). Resolves when it has begun.
   * @throws CodedError `too_many_streams`, or what the feed throws, before the first byte
   */
  async serve({ request, response, client, address }: Call, feed: Feed, lastEventId?: string): Promise<void> {
    const connection = new SseConnection(response, this.#options);
    const leave = this.#context.streams.open(client, address, () => connection.end());
    const last = parseLastEventId(request.get('Last-Event-ID') ?? lastEventId);
    const reader = new EventReader(feed, last.position, {
      redis: this.#context.redis,
      onDefect: (error) => this.#logger.error('an event stream broke', { error }),
    });
    const close = (): void => {
      leave();
      this.#remove(reader);
      void reader.close();
    };
    response.once('close', close);
    try {
      const [page] = await Promise.all([reader.open(), this.#hearOfLives()]);
      const isOver = page.kind !== 'moved' && 'ended' in page && page.ended !== undefined;
      // The client may have left, or been told that it takes too long, while we asked Redis.
      if (response.destroyed || response.headersSent) return close();
      // This tells a client to stop; it would come back again and again.
      if (isOver && last.knowsEnd) return void response.status(204).end();
      this.#answeredAt = Date.now();
      this.#add(reader);
      reader.begin(page, connection);
      if (request.method === 'HEAD') connection.end();
    } catch (error) {
      close();
      throw error;
    }
  }

  #add(reader: EventReader): void {
    this.#readers.add(reader);
    this.#timer ??= setInterval(() => void this.#tend(), this.#options.heartbeatMs ?? HEARTBEAT_MS);
  }

  #remove(reader: EventReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One look at Redis for all: a message may have been lost, and keys expire without a word. */
  async #tend(): Promise<void> {
    for (const reader of this.#readers) reader.heartbeat();
    const live = [...this.#readers].filter(({ isLive }) => isLive);
    await Promise.all([...this.#readers].map((reader) => this.#keepAlive(reader)));
    try {
      for (const reader of await this.#context.redis.events.findStale(live)) reader.lookAgain();
      this.#tellSource(false);
    } catch {
      // Redis is away; that ends nothing, but what was told may not be so any more.
      this.#tellSource(true);
    }
  }

  #tellSource(isAway: boolean): void {
    if (!isAway) this.#answeredAt = Date.now();
    if (isAway === this.#isRedisAway) return;
    this.#isRedisAway = isAway;
    for (const reader of this.#readers) reader.tellSource(isAway, this.#answeredAt);
  }

  /** Only once Redis has answered: who comes back while it is away gets an error, and a browser stops at one. */
  async #keepAlive(reader: EventReader): Promise<void> {
    const { lineWatch } = this.#context;
    const isInLine = await reader.feed.keepAlive().catch((error: unknown) => lineWatch.missed(error));
    const limitMs = this.#options.lineStreamMs ?? LINE_STREAM_MS;
    if (!isInLine || !reader.isLive || reader.ageMs < limitMs) return;
    this.#remove(reader);
    reader.letComeBack();
  }

  /** When the data begins another life, or messages may have been missed, everybody looks. */
  async #hearOfLives(): Promise<void> {
    this.#hearsOfLives ??= this.#context.redis.events.onNewLife(() => {
      this.#tellSource(false);
      for (const reader of this.#readers) reader.lookAgain();
    });
    try {
      await this.#hearsOfLives;
    } catch (error) {
      this.#hearsOfLives = undefined;
      throw error;
    }
  }
}
