import { CodedError } from '@greenroom/contracts';
import type { RequestHandler } from 'express';
import { sendProblem } from './problem.js';

/** Answers 503 when nothing was answered after `limitMs`. An answer that has begun (a stream) may go on. */
export function limitTime(limitMs: number): RequestHandler {
  return (_request, response, next) => {
    const timer = setTimeout(() => {
      if (response.headersSent) return;
      response.set('Connection', 'close');
      sendProblem(response, new CodedError('request_timeout'));
    }, limitMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
