import { CodedError, ERRORS, type ErrorCode, type ProblemBody } from '@greenroom/contracts';
import { RedisFullError, RedisRecoveringError, RedisUnavailableError } from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { factsOf } from './call.js';

/** What Retry-After says where trying again helps and nobody knows better. */
const RETRY_AFTER_SECONDS = 2;

/** About what is left of a recovery: it takes two heartbeats of the spawners. */
const RECOVERY_SECONDS = 5;

/** A stable name for the kind of error; `docs/errors.md` describes each. */
export function problemType(code: ErrorCode): string {
  return `urn:greenroom:error:${code}`;
}

/** Answers with problem+json (RFC 9457), unless the answer has begun already: then the connection is cut. */
export function sendProblem(response: Response, error: CodedError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, title, retryable } = ERRORS[error.code];
  const body: ProblemBody = {
    ...error.extra,
    type: problemType(error.code),
    title,
    status,
    detail: error.message,
    code: error.code,
    requestId: factsOf(response).requestId,
    success: false,
  };
  if (retryable)
    response.set('Retry-After', String(Math.ceil(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS)));
  if (error.code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer');
  // A proxy may keep a 404 by itself otherwise.
  response.set('Cache-Control', 'no-store');
  // A string, because express would put its own charset on an object.
  response.status(status).set('Content-Type', 'application/problem+json').end(JSON.stringify(body));
}

export function answerNotFound(): RequestHandler {
  return () => {
    throw new CodedError('not_found');
  };
}

/**
 * The last handler: every error becomes one of the closed list; what we do not know is logged and stays inside.
 * @param onError hears of each, as it was thrown
 */
export function handleErrors(
  logger: Pick<Logger, 'error' | 'warn'>,
  onError: (error: unknown) => void = () => undefined,
): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    onError(error);
    const coded = toCodedError(error);
    const { requestId, route } = factsOf(response);
    if (coded.code === 'internal') logger.error('request failed', { requestId, route, error });
    if (coded.code === 'redis_unavailable') logger.warn('redis is unavailable', { requestId, route, error });
    sendProblem(response, coded);
  };
}

export function toCodedError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (error instanceof RedisRecoveringError) {
    return new CodedError('recovering', { retryAfterSeconds: RECOVERY_SECONDS, cause: error });
  }
  if (error instanceof RedisFullError) {
    return new CodedError('redis_unavailable', { detail: REDIS_IS_FULL, cause: error });
  }
  if (error instanceof RedisUnavailableError) return new CodedError('redis_unavailable', { cause: error });
  // A path that cannot be decoded is a path that does not exist.
  if (error instanceof URIError) return new CodedError('not_found');
  const type = (error as { type?: unknown } | null | undefined)?.type;
  return new CodedError(BODY_ERRORS.get(type) ?? 'internal', { cause: error });
}

const REDIS_IS_FULL =
  'Redis has no memory left and takes nothing new. Calls go on and can be ended; an operator has to free memory.';

/** By the `type` of what body-parser throws. */
const BODY_ERRORS: ReadonlyMap<unknown, ErrorCode> = new Map([
  ['entity.parse.failed', 'invalid_json'],
  ['request.aborted', 'invalid_json'],
  ['request.size.invalid', 'invalid_json'],
  ['entity.too.large', 'payload_too_large'],
  ['encoding.unsupported', 'unsupported_media_type'],
  ['charset.unsupported', 'unsupported_media_type'],
]);
