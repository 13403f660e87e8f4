import type { RequestHandler } from 'express';

/**
 * While this instance leaves, each answer asks its client to close the connection and to come back on another: so nobody is
 * in the middle of a request when the connections are closed.
 */
export function closeAfterAnswers(isServing: () => boolean): RequestHandler {
  return (_request, response, next) => {
    if (!isServing()) response.set('Connection', 'close');
    next();
  };
}
