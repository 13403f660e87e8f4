import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from './api-error.js';
import type { HttpClient, Query } from './http-client.js';

export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface FollowOptions {
  readonly query?: Query;
  readonly signal: AbortSignal;
  /** The stream broke and is opened again; `undefined` once it is back. */
  readonly onTrouble?: (error: Error | undefined) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

/**
 * The events of a stream of the api, for as long as it goes on. A stream that breaks is opened again where it was, so that
 * nothing is lost or told twice; one that was never opened, or that the api does not want to give any more, is an error.
 * @throws ApiError
 */
export async function* followEvents(
  http: HttpClient,
  path: string,
  { query, signal, onTrouble }: FollowOptions,
): AsyncGenerator<StreamEvent> {
  let lastId: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  let hasBegun = false;
  for (;;) {
    try {
      const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
      const response = await http.open('GET', path, { headers, signal, ...(query && { query }) });
      // Read to its end already: there is nothing more to come.
      if (response.status === 204) return;
      if (hasBegun) onTrouble?.(undefined);
      hasBegun = true;
      retryMs = FIRST_RETRY_MS;
      for await (const { id, event, data } of readMessages(response)) {
        if (id !== undefined) lastId = id;
        yield { event: event ?? 'message', data: JSON.parse(data) };
      }
    } catch (error) {
      if (signal.aborted || !hasBegun || isFinal(error)) throw error;
      onTrouble?.(error as Error);
    }
    await sleep(retryMs, undefined, { signal });
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** Each message once, in order, until the answer ends. */
export async function* readMessages(response: Response): AsyncGenerator<EventSourceMessage> {
  const waiting: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => void waiting.push(message) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    yield* waiting.splice(0);
  }
}

/** Coming back does not help. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof ApiError && error.status !== undefined && error.status < 500 && error.status !== 429
  );
}
