import { ERRORS, type ErrorCode, type ProblemBody } from '@greenroom/contracts';
import type { Logger } from '@greenroom/service-kit';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { ServerResponse } from 'node:http';

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
  return (_request, response) => sendProblem(response, 'not_found');
}

export function handleErrors(logger: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error: { status?: number; message?: string }, _request, response, _next) => {
    const isTheirs = error.status !== undefined && error.status < 500;
    if (!isTheirs) logger.error('a request failed', { error: error.message });
    sendProblem(response, isTheirs ? 'not_found' : 'internal');
  };
}
