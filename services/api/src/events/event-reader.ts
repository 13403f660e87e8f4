import { CodedError, type SourceStreamEvent } from '@greenroom/contracts';
import {
  type EndedRecord,
  type Followed,
  isEarlierEntry,
  type RedisSchema,
  RedisUnavailableError,
  type StreamEntry,
  type StreamMessage,
  type StreamPosition,
} from '@greenroom/redis-schema';
import { type Feed, type FeedPage, PAGE_SIZE } from './feed.js';
import { isoTime } from '../sessions/session-view.js';
import type { SseConnection } from './sse-connection.js';
import { formatEndId, formatStreamId } from './stream-id.js';

/** Messages that are kept while a reader reads from Redis; of more than these, it reads again. */
const MAX_HELD = 64;
/** After Redis did not answer. Its return is told too; this is for an answer that got lost. */
const READ_AGAIN_MS = 2_000;

const NOWHERE: StreamPosition = { epoch: undefined, id: '0-0' };

/**
 * One reader of one stream. What the steps hand out it writes at once; where something is missing, or the reader is slow, it
 * reads on from Redis, page by page, as fast as the reader takes it. So nothing is lost, nothing comes twice, and what is
 * kept in memory is bounded.
 */
export class EventReader implements Followed {
  #feed: Feed;
  /** Where the stream goes on. */
  #next: Feed | undefined;
  #position: StreamPosition | undefined;
  readonly #redis: Pick<RedisSchema, 'events'>;
  readonly #onDefect: (error: unknown) => void;
  #connection: SseConnection | undefined;
  #begunAt = 0;
  #unfollow: (() => Promise<void>) | undefined;
  /** While it is true, messages are held. */
  #isReading = true;
  #mustReadAgain = false;
  #held: StreamMessage[] = [];
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    feed: Feed,
    position: StreamPosition | undefined,
    options: { redis: Pick<RedisSchema, 'events'>; onDefect: (error: unknown) => void },
  ) {
    this.#feed = feed;
    this.#position = position;
    this.#redis = options.redis;
    this.#onDefect = options.onDefect;
  }

  get sessionId(): string | undefined {
    return this.#feed.sessionId;
  }

  get position(): StreamPosition {
    return this.#position ?? NOWHERE;
  }

  /** Whether it takes what it is handed: then a look can tell if it has missed something. */
  get isLive(): boolean {
    return !this.#isReading && !this.#isClosed;
  }

  /** For how long it has been written to. */
  get ageMs(): number {
    return performance.now() - this.#begunAt;
  }

  get feed(): Feed {
    return this.#feed;
  }

  /**
   * Follows the stream and reads what there is.
   * @throws CodedError, RedisUnavailableError; then nothing is left to close
   */
  async open(): Promise<FeedPage> {
    try {
      await this.#follow();
      return await this.#read();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Writes what `open` has read, and everything from then on. */
  begin(page: FeedPage, connection: SseConnection): void {
    this.#connection = connection;
    this.#begunAt = performance.now();
    connection.begin();
    this.#write(page, connection);
    void this.#readOn();
  }

  heartbeat(): void {
    this.#connection?.heartbeat();
  }

  /** Whoever shows everything as it is now has to know when nobody can say so. It has no id: what the reader has stays the same. */
  tellSource(isAway: boolean, answeredAt: number): void {
    if (this.sessionId !== undefined) return;
    const data: SourceStreamEvent = { at: isoTime(Date.now()), isAway, answeredAt: isoTime(answeredAt) };
    this.#connection?.send({ event: 'source', data });
  }

  /** Reads what was missed, if anything was. */
  lookAgain(): void {
    this.#mustReadAgain = true;
    if (!this.#isReading) void this.#readOn();
  }

  /** Ends it without an end of the session: who is there comes back and reads on. */
  letComeBack(): void {
    this.#connection?.end();
    void this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#held = [];
    clearTimeout(this.#again);
    await this.#unfollow?.();
  }

  async #follow(): Promise<void> {
    const { sessionId } = this.#feed;
    const unfollow = await this.#redis.events.follow(sessionId, (message) => {
      if (this.#feed.sessionId === sessionId) this.#take(message);
    });
    const before = this.#unfollow;
    this.#unfollow = unfollow;
    await before?.();
    if (this.#isClosed) await unfollow();
  }

  /** A page of the session that goes on here, whatever its id was before. */
  async #read(): Promise<FeedPage> {
    for (;;) {
      if (this.#next) await this.#move(this.#next, undefined);
      const page = await this.#feed.read(this.#position);
      if (page.kind !== 'moved') return page;
      await this.#move(page.feed, this.#position);
    }
  }

  async #move(feed: Feed, position: StreamPosition | undefined): Promise<void> {
    this.#feed = feed;
    this.#position = position;
    this.#next = undefined;
    this.#held = [];
    await this.#follow();
  }

  #take(message: StreamMessage): void {
    const connection = this.#connection;
    if (this.#isClosed) return;
    if (this.#isReading || !connection) return this.#hold(message);
    const { after, last, entries, ended } = message;
    const { id } = this.position;
    const isOld = last === id || isEarlierEntry(last, id);
    if (isOld && !ended) return;
    const isNext = after === id && entries !== undefined;
    if (!isNext || !this.#tellAll(entries, connection)) return this.lookAgain();
    if (ended) this.#end(ended, connection);
  }

  #hold(message: StreamMessage): void {
    if (this.#held.length < MAX_HELD) {
      this.#held.push(message);
      return;
    }
    this.#held = [];
    this.#mustReadAgain = true;
  }

  async #readOn(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    this.#isReading = true;
    clearTimeout(this.#again);
    try {
      while (this.#mustReadAgain && !this.#isClosed) {
        await connection.caughtUp();
        if (connection.isOver) return;
        this.#mustReadAgain = false;
        this.#write(await this.#read(), connection);
      }
    } catch (error) {
      this.#comeBackAfter(error, connection);
    }
    this.#isReading = false;
    for (const message of this.#held.splice(0)) this.#take(message);
  }

  /** What cannot be asked right now ends nothing; what is not there any more does. */
  #comeBackAfter(error: unknown, connection: SseConnection): void {
    const isAway =
      error instanceof RedisUnavailableError || (error instanceof CodedError && error.code === 'recovering');
    if (!isAway) {
      if (!(error instanceof CodedError)) this.#onDefect(error);
      connection.end();
      return;
    }
    if (this.#isClosed) return;
    this.#again = setTimeout(() => this.lookAgain(), READ_AGAIN_MS);
  }

  #write(page: FeedPage, connection: SseConnection): void {
    switch (page.kind) {
      case 'snapshot':
        this.#position = page.position;
        connection.send({ ...page.told, id: formatStreamId(page.position) });
        break;
      case 'entries':
        this.#position = { ...this.position, epoch: page.epoch };
        if (!this.#tellAll(page.entries, connection) || page.entries.length === PAGE_SIZE) {
          this.#mustReadAgain = true;
          return;
        }
        break;
      case 'ended':
        this.#position = { ...this.position, epoch: page.epoch };
        break;
      case 'moved':
        return;
    }
    if (page.ended) this.#end(page.ended, connection);
  }

  /** Answers whether the reader was told all: it is false for one that is slow, or goes on elsewhere. */
  #tellAll(entries: readonly StreamEntry[], connection: SseConnection): boolean {
    for (const entry of entries) {
      if (connection.isBehind) return false;
      this.#position = { ...this.position, id: entry.id };
      const told = this.#feed.tell(entry);
      if (told?.goesOn) {
        connection.send(told);
        this.#next = told.goesOn;
        return false;
      }
      if (told) connection.send({ ...told, id: formatStreamId(this.#position) });
    }
    return true;
  }

  #end(ended: EndedRecord, connection: SseConnection): void {
    connection.send({ ...this.#feed.tellEnded(ended), id: formatEndId(this.position.epoch) });
    connection.end();
  }
}
