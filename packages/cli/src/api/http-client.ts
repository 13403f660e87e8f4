import { ApiError, type ErrorBody } from './api-error.js';

const REQUEST_LIMIT_MS = 10_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface RequestParts {
  readonly query?: Query;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The public HTTP api over fetch. A key goes into the header of every request, and nowhere else. */
export class HttpClient {
  readonly url: string;
  readonly #key: string | undefined;
  readonly #interrupted: AbortSignal | undefined;

  /**
   * @param interrupted ends what is being asked; without one every question is asked to its end
   * @throws TypeError for what is no URL
   */
  constructor(url: string, key: string | undefined, interrupted?: AbortSignal) {
    this.url = new URL(url).href.replace(/\/$/, '');
    this.#key = key;
    this.#interrupted = interrupted;
  }

  /** The parsed answer. @throws ApiError */
  async ask<T>(method: string, path: string, parts: RequestParts = {}): Promise<T> {
    const limit = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const signal = this.#interrupted ? AbortSignal.any([limit, this.#interrupted]) : limit;
    const response = await this.open(method, path, { signal, ...parts });
    return (await response.json().catch(() => ({}))) as T;
  }

  /** An answer that went well, its body unread. @throws ApiError */
  async open(method: string, path: string, parts: RequestParts = {}): Promise<Response> {
    const response = await this.#fetch(method, path, parts);
    if (response.ok) return response;
    const answer = (await response.json().catch(() => ({}))) as ErrorBody;
    const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new ApiError(
      answer.detail ?? `${this.url} answered with HTTP ${response.status}.`,
      response.status,
      answer,
      Number.isFinite(wait) ? wait : undefined,
    );
  }

  async #fetch(
    method: string,
    path: string,
    { query, body, headers, signal }: RequestParts,
  ): Promise<Response> {
    const url = new URL(`${this.url}${path}`);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    try {
      return await fetch(url, {
        method,
        headers: {
          ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(signal && { signal }),
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      if (signal?.aborted && !isTimeout(signal)) throw cause;
      throw new ApiError(`No answer from ${this.url}. Is Greenroom running there?`, undefined, {
        detail: String(cause),
      });
    }
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
