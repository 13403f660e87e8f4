import type { RequestHandler } from 'express';

const ALLOWED_HEADERS = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id';
const ALLOWED_METHODS = 'GET, HEAD, POST';
const EXPOSED_HEADERS = 'Retry-After, X-Request-Id';
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** Lets pages of `origins` read our answers; `*` is any page. No cookies are used, so none are allowed. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const allowAny = origins.includes('*');
  const allowed = new Set(origins);
  return (request, response, next) => {
    const origin = request.get('Origin');
    if (!allowAny) response.vary('Origin');
    const mayRead = origin !== undefined && (allowAny || allowed.has(origin));
    if (mayRead) {
      response.set('Access-Control-Allow-Origin', allowAny ? '*' : origin);
      response.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    const isPreflight =
      request.method === 'OPTIONS' && request.get('Access-Control-Request-Method') !== undefined;
    if (!isPreflight) return next();
    if (mayRead) {
      response.set({
        'Access-Control-Allow-Methods': ALLOWED_METHODS,
        'Access-Control-Allow-Headers': ALLOWED_HEADERS,
        'Access-Control-Max-Age': String(PREFLIGHT_MAX_AGE_SECONDS),
      });
    }
    response.status(204).end();
  };
}
