import { CodedError } from '@greenroom/contracts';
import express, { type RequestHandler } from 'express';

const BODY_LIMIT_BYTES = 64 * 1024;
const MAX_DEPTH = 32;

/** One JSON object of at most 64 KiB; a request without a body counts as `{}`. */
export function readJsonBody(): RequestHandler[] {
  return [
    requireJson,
    express.json({ limit: BODY_LIMIT_BYTES, inflate: false, type: () => true }),
    refuseTraps,
  ];
}

/** At most 64 KiB of anything, as one Buffer. */
export function readRawBody(): RequestHandler {
  return express.raw({ limit: BODY_LIMIT_BYTES, inflate: false, type: () => true });
}

const requireJson: RequestHandler = (request, _response, next) => {
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers;
  const hasBody = encoding !== undefined || Number(length ?? 0) > 0;
  if (hasBody && !request.is('application/json')) throw new CodedError('unsupported_media_type');
  next();
};

const refuseTraps: RequestHandler = (request, _response, next) => {
  const body: unknown = request.body ?? {};
  assertHarmless(body, 0);
  request.body = body;
  next();
};

/** Before any code copies the body: `__proto__` would become a prototype, and endless nesting a stack overflow. */
function assertHarmless(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH)
    throw new CodedError('invalid_request', { detail: `The body is nested deeper than ${MAX_DEPTH}.` });
  if (Object.hasOwn(value, '__proto__')) {
    throw new CodedError('invalid_request', { detail: 'The field "__proto__" is not allowed.' });
  }
  for (const inner of Object.values(value)) assertHarmless(inner, depth + 1);
}
