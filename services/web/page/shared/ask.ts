import type { ProblemBody } from '@greenroom/contracts';

/** An answer of the api that is none: `code` is one of docs/errors.md, or `unreachable` where nothing answered. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    /** For people. */
    message: string,
    readonly code: string,
    /** HTTP status; 0 where nothing answered. */
    readonly status: number,
    /** When trying again may help; absent where it does not. */
    readonly retryAfterMs: number | undefined,
    readonly body: Partial<ProblemBody> & Record<string, unknown>,
  ) {
    super(message);
  }
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: object;
  /** Goes into the Authorization header, and nowhere else. */
  readonly key?: string | undefined;
  /** The same question asked again does nothing twice. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** For what takes its time. */
  readonly withinMs?: number;
  /** The request goes on while the page is being closed. */
  readonly keepalive?: boolean;
}

/** What takes longer has gone astray on the way. Streams are not asked for here. */
const ANSWER_WITHIN_MS = 15_000;

/**
 * Asks the api, at the origin of the page.
 * @throws ApiProblem
 */
export async function ask<Answer>(path: string, question: Question = {}): Promise<Answer> {
  const tooLate = AbortSignal.timeout(question.withinMs ?? ANSWER_WITHIN_MS);
  const response = await send(path, question, tooLate);
  const body = await response.json().catch(() => undefined);
  if (body === undefined && tooLate.aborted) throw unreachable();
  if (response.ok) return body as Answer;
  throw problemOf(response, body ?? {});
}

async function send(
  path: string,
  { method = 'GET', body, key, idempotencyKey, signal, keepalive }: Question,
  tooLate: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: {
        ...(body && { 'Content-Type': 'application/json' }),
        ...(key && { Authorization: `Bearer ${key}` }),
        ...(idempotencyKey && { 'Idempotency-Key': idempotencyKey }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate,
      ...(keepalive && { keepalive }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable();
  }
}

function unreachable(): ApiProblem {
  return new ApiProblem('The server cannot be reached. Check your connection.', 'unreachable', 0, 2_000, {});
}

/** What the answer says that it is. */
export function problemOf(
  response: Response,
  body: Partial<ProblemBody> & Record<string, unknown>,
): ApiProblem {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiProblem(
    body.detail ?? `The server answered ${response.status}.`,
    body.code ?? 'unreachable',
    response.status,
    Number.isFinite(seconds) ? seconds * 1_000 : undefined,
    body,
  );
}
