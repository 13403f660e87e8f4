import type { Response } from 'express';

/** More than this is not kept for a reader: what it has not taken stands in Redis, and is read when it has. */
export const MAX_UNREAD_BYTES = 64 * 1024;
/** A reader that does not take what is kept for it within this time is cut off. It can come back and read on. */
const STALL_LIMIT_MS = 30_000;
/** When to come back, spread out: all readers of an instance that stops come at once. */
const RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;

export interface ServerSentEvent {
  readonly event: string;
  readonly data: object;
  /** None leaves the reader where it is. */
  readonly id?: string;
}

/** One answer as a stream of server-sent events, with a bounded buffer. */
export class SseConnection {
  readonly #response: Response;
  readonly #stallLimitMs: number;

  constructor(
    response: Response,
    { stallLimitMs = STALL_LIMIT_MS }: { stallLimitMs?: number | undefined } = {},
  ) {
    this.#response = response;
    this.#stallLimitMs = stallLimitMs;
  }

  /** Headers that keep proxies from holding back, changing or storing what comes. */
  begin(): void {
    this.#response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    });
    this.#response.flushHeaders();
    this.#write(`retry: ${RETRY_MS + Math.floor(Math.random() * RETRY_SPREAD_MS)}\n\n`);
  }

  send({ event, data, id }: ServerSentEvent): void {
    const idLine = id === undefined ? '' : `id: ${id}\n`;
    this.#write(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Keeps proxies from taking a silent stream for a dead connection, and tells us of dead readers. */
  heartbeat(): void {
    if (!this.isBehind) this.#write(': still here\n\n');
  }

  get isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  /** Whether the reader has so much to take that no more is kept for it. */
  get isBehind(): boolean {
    return this.#response.writableLength > MAX_UNREAD_BYTES;
  }

  /** Resolves when the reader has taken what it was sent, or the stream is over: that of one that takes nothing is cut. */
  async caughtUp(): Promise<void> {
    if (!this.isBehind || this.isOver) return;
    const response = this.#response;
    await new Promise<void>((resolve) => {
      const timer = this.#limitStall();
      const done = (): void => {
        clearTimeout(timer);
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
  }

  /** One that does not take what is left for it, because nobody is there any more, is cut off. */
  end(): void {
    if (this.isOver) return;
    const timer = this.#limitStall();
    this.#response.once('close', () => clearTimeout(timer)).end();
  }

  #limitStall(): NodeJS.Timeout {
    const response = this.#response;
    return setTimeout(() => response.destroy(), this.#stallLimitMs);
  }

  #write(text: string): void {
    if (!this.isOver) this.#response.write(text);
  }
}
