import type { RequestHandler } from 'express';
import { nanoid } from 'nanoid';
import { OPEN_CLIENT } from './authenticate.js';
import { factsOf, type RequestFacts } from './call.js';

const SANE_REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives the request its id, the caller's own where that is sane, and notes when it arrived. */
export function beginRequest(): RequestHandler {
  return (request, response, next) => {
    const given = request.get('X-Request-Id');
    const facts: RequestFacts = {
      requestId: given !== undefined && SANE_REQUEST_ID.test(given) ? given : nanoid(),
      arrivedAtMs: performance.now(),
      route: undefined,
      client: OPEN_CLIENT,
      body: undefined,
      query: undefined,
    };
    Object.assign(factsOf(response), facts);
    response.set('X-Request-Id', facts.requestId);
    next();
  };
}
