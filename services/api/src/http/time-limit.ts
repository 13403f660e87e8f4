import { CodedError } from '@greenroom/contracts';
import type { RequestHandler, Response } from 'express';
import { sendProblem } from './problem.js';

const timers = new WeakMap<Response, NodeJS.Timeout>();

/** Answers 503 when nothing was answered after `limitMs`. An answer that has begun (a stream) may go on. */
export function limitTime(limitMs: number): RequestHandler {
  return (_request, response, next) => {
    startTimer(response, limitMs);
    response.once('close', () => clearTimeout(timers.get(response)));
    next();
  };
}

/** For what has to wait for somebody to speak: `limitMs` from now on, in place of the usual limit. */
export function giveTime(response: Response, limitMs: number): void {
  clearTimeout(timers.get(response));
  if (!response.closed) startTimer(response, limitMs);
}

function startTimer(response: Response, limitMs: number): void {
  const timer = setTimeout(() => {
    if (response.headersSent) return;
    response.set('Connection', 'close');
    sendProblem(response, new CodedError('request_timeout'));
  }, limitMs);
  timers.set(response, timer);
}
