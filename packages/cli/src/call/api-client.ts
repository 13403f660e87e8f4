import type {
  JoinDetails,
  ProblemBody,
  SessionView,
  StartRequest,
  StartResponse,
} from '@greenroom/contracts';

/** The api said no, or could not be reached. The message says what to do next. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number | undefined;
  readonly body: Partial<ProblemBody> & { endReason?: string; durationMs?: number };

  constructor(message: string, status?: number, body: ApiError['body'] = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

const REQUEST_LIMIT_MS = 10_000;

/** The public HTTP api, as a caller uses it. A key opens the start only: after that the id is enough, as for any caller. */
export class ApiClient {
  readonly #url: string;
  readonly #key: string | undefined;

  constructor(url: string, key: string | undefined) {
    this.#url = url;
    this.#key = key;
  }

  start(body: StartRequest): Promise<StartResponse> {
    return this.#ask('POST', '/api/session/start', body, this.#key);
  }

  session(sessionId: string): Promise<SessionView> {
    return this.#ask('GET', `/api/session/${sessionId}`);
  }

  async token(sessionId: string, roomName: string): Promise<JoinDetails> {
    const { server_url, participant_token } = await this.#ask<{
      server_url: string;
      participant_token: string;
    }>('POST', '/api/token', { sessionId });
    return { roomName, livekitUrl: server_url, token: participant_token };
  }

  async end(sessionId: string): Promise<void> {
    await this.#ask('POST', '/api/session/end', { sessionId });
  }

  async #ask<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
    const response = await this.#fetch(method, path, body, key);
    const answer = (await response.json().catch(() => ({}))) as ApiError['body'];
    if (response.ok) return answer as T;
    const wait = response.headers.get('retry-after');
    const advice = wait === null ? '' : ` Try again in ${wait} s.`;
    throw new ApiError(`${answer.detail ?? `HTTP ${response.status}.`}${advice}`, response.status, answer);
  }

  async #fetch(
    method: string,
    path: string,
    body: object | undefined,
    key: string | undefined,
  ): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#url), {
        method,
        headers: {
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new ApiError(
        `No answer from ${this.#url}. Is Greenroom running there? Start it with: npm start`,
        undefined,
        {
          detail: String(cause),
        },
      );
    }
  }
}
