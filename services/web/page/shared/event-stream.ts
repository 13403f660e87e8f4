import { createParser } from 'eventsource-parser';
import { type ApiProblem, problemOf } from './ask.js';

/** One server-sent event; `data` is its JSON. */
export interface StreamEvent {
  readonly event: string;
  /** Where to read on; absent for events that have no place of their own. */
  readonly id: string | undefined;
  readonly data: unknown;
}

export interface StreamOptions {
  readonly path: string;
  /** Goes into the Authorization header, and nowhere else. */
  readonly key?: string | undefined;
  /** Read on from here instead of from now. */
  readonly lastEventId?: string | undefined;
  onEvent(event: StreamEvent): void;
  /** `connecting` at first and after each cut. Until it is `open`, what is shown may be old. */
  onStatus?(status: 'connecting' | 'open'): void;
  /** Something came, if only a sign that the api is there; with the server's own time whenever a stream opens. */
  onSign?(serverTime?: number): void;
  /** Nothing more will come: of a session that is over (no problem), or because asking again cannot help. */
  onOver?(problem: ApiProblem | undefined): void;
  /** The event after which nothing comes any more. Default `ended`. */
  readonly lastEvent?: string;
  /** Waits and limits in milliseconds, for tests. */
  readonly timing?: Partial<StreamTiming>;
}

interface StreamTiming {
  /** The first wait after a stream that could not be opened; it doubles from there. */
  firstRetryMs: number;
  longestRetryMs: number;
  /** The api sends a comment every 15 s: without a sign for this long the connection is dead, whatever the browser believes. */
  silenceLimitMs: number;
}

const TIMING: StreamTiming = { firstRetryMs: 500, longestRetryMs: 15_000, silenceLimitMs: 40_000 };

/** How one connection came to its end. */
type Outcome =
  | { readonly kind: 'over'; readonly problem?: ApiProblem }
  | { readonly kind: 'again'; readonly afterMs?: number };

/**
 * Follows a stream of the api until it is over: comes back after each cut and reads on where it was (Last-Event-ID). By fetch
 * instead of EventSource, since that can send no key and gives up for good after an error.
 * @returns ends it; nothing is called any more from then on
 */
export function followEvents(options: StreamOptions): () => void {
  const follower = new Follower(options);
  void follower.run();
  return () => follower.stop();
}

class Follower {
  readonly #options: StreamOptions;
  readonly #timing: StreamTiming;
  readonly #stopped = new AbortController();
  #lastEventId: string | undefined;
  /** What the server asks for between two connections. */
  #retryMs: number | undefined;
  #failures = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#lastEventId = options.lastEventId;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async run(): Promise<void> {
    for (;;) {
      this.#options.onStatus?.('connecting');
      const outcome = await this.#readOnce();
      if (this.#stopped.signal.aborted) return;
      if (outcome.kind === 'over') {
        this.#stopped.abort();
        this.#options.onOver?.(outcome.problem);
        return;
      }
      await waitOrOnline(outcome.afterMs ?? this.#backOff(), this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
    }
  }

  async #readOnce(): Promise<Outcome> {
    const cut = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, cut.signal]);
    const silence = new Watchdog(this.#timing.silenceLimitMs, () => cut.abort());
    try {
      const response = await this.#open(signal);
      if (response.status === 204) return { kind: 'over' };
      if (!response.ok) return await this.#judge(response);
      this.#options.onSign?.(timeOf(response));
      return await this.#read(response, silence);
    } catch {
      this.#failures += 1;
      return { kind: 'again' };
    } finally {
      silence.stop();
      cut.abort();
    }
  }

  #open(signal: AbortSignal): Promise<Response> {
    const { path, key } = this.#options;
    return fetch(path, {
      signal,
      cache: 'no-store',
      headers: {
        Accept: 'text/event-stream',
        ...(key && { Authorization: `Bearer ${key}` }),
        ...(this.#lastEventId !== undefined && { 'Last-Event-ID': this.#lastEventId }),
      },
    });
  }

  /** 429 and 5xx pass; what else is refused stays refused. */
  async #judge(response: Response): Promise<Outcome> {
    const problem = problemOf(response, await response.json().catch(() => ({})));
    if (response.status !== 429 && response.status < 500) return { kind: 'over', problem };
    this.#failures += 1;
    return problem.retryAfterMs === undefined
      ? { kind: 'again' }
      : { kind: 'again', afterMs: jittered(problem.retryAfterMs) };
  }

  async #read(response: Response, silence: Watchdog): Promise<Outcome> {
    let isOver = false;
    const parser = createParser({
      onRetry: (ms) => {
        this.#retryMs = ms;
      },
      onEvent: ({ event = 'message', id, data }) => {
        if (this.#stopped.signal.aborted || isOver) return;
        if (id !== undefined) this.#lastEventId = id;
        this.#options.onEvent({ event, id, data: parse(data) });
        isOver = event === (this.#options.lastEvent ?? 'ended');
      },
    });
    this.#failures = 0;
    this.#options.onStatus?.('open');
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return isOver ? { kind: 'over' } : { kind: 'again', afterMs: this.#pause() };
      silence.reset();
      this.#options.onSign?.();
      parser.feed(decoder.decode(value, { stream: true }));
      if (isOver) return { kind: 'over' };
    }
  }

  /** After a stream that ended in order. The api sends each reader another `retry`, so that they do not all come back at once. */
  #pause(): number {
    return this.#retryMs ?? this.#timing.firstRetryMs;
  }

  #backOff(): number {
    const { firstRetryMs, longestRetryMs } = this.#timing;
    return jittered(Math.min(longestRetryMs, firstRetryMs * 2 ** Math.max(0, this.#failures - 1)));
  }
}

class Watchdog {
  readonly #limitMs: number;
  readonly #bark: () => void;
  #timer: ReturnType<typeof setTimeout>;

  constructor(limitMs: number, bark: () => void) {
    this.#limitMs = limitMs;
    this.#bark = bark;
    this.#timer = setTimeout(bark, limitMs);
  }

  reset(): void {
    this.stop();
    this.#timer = setTimeout(this.#bark, this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** A network that is back is worth an attempt at once. */
function waitOrOnline(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('online', done);
      stopped.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener?.('online', done);
    stopped.addEventListener('abort', done);
  });
}

function timeOf(response: Response): number | undefined {
  const time = Date.parse(response.headers.get('Date') ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function jittered(ms: number): number {
  return ms * (1 + Math.random() / 4);
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
