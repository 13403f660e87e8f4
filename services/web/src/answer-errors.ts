import { ERRORS, type ErrorCode, type ProblemBody } from '@greenroom/contracts';
import type { Logger } from '@greenroom/service-kit';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { ServerResponse } from 'node:http';
import { NOT_FOUND_PAGE } from './serve-page.js';

/** problem+json as the api answers it, so that the page needs to know one form only. */
export function sendProblem(response: ServerResponse, code: ErrorCode, retryAfterSeconds?: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, title, detail } = ERRORS[code];
  const body: ProblemBody = {
    type: `urn:greenroom:error:${code}`,
    title,
    status,
    detail,
    code,
    requestId: '',
    success: false,
  };
  response.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(body));
}

export function answerNotFound(): RequestHandler {
  return sendNotFound;
}

/** A page to a person who mistyped an address, a problem to a program: what takes anything gets the problem. */
function sendNotFound(request: Request, response: Response): void {
  // What has begun can only be broken off.
  if (response.headersSent) return sendProblem(response, 'not_found');
  response.vary('Accept');
  const wanted = request.accepts(['application/problem+json', 'application/json', 'text/html']);
  if (wanted !== 'text/html') return sendProblem(response, 'not_found');
  response.status(ERRORS.not_found.status).set('Cache-Control', 'no-store');
  response.sendFile(NOT_FOUND_PAGE, { cacheControl: false, etag: false, lastModified: false }, (error) => {
    if (error && !response.headersSent) sendProblem(response, 'not_found');
  });
}

export function handleErrors(logger: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error: { status?: number; message?: string }, request, response, _next) => {
    const isTheirs = error.status !== undefined && error.status < 500;
    if (isTheirs) return sendNotFound(request, response);
    logger.error('a request failed', { error: error.message });
    sendProblem(response, 'internal');
  };
}
