import type { Histogram, Logger } from '@greenroom/service-kit';
import type { RequestHandler } from 'express';
import { factsOf } from './call.js';

export type RequestSeconds = Pick<Histogram<'method' | 'route' | 'status'>, 'observe'>;

/**
 * One line and one observation for each answer. Paths and bodies hold session ids, and whoever has an id holds the
 * session: only the route's pattern is written.
 */
export function logAccess(logger: Pick<Logger, 'info'>, requestSeconds: RequestSeconds): RequestHandler {
  return (request, response, next) => {
    response.once('close', () => {
      const { requestId, route = 'none', client, arrivedAtMs } = factsOf(response);
      const durationMs = performance.now() - arrivedAtMs;
      const { method } = request;
      const status = response.statusCode;
      requestSeconds.observe(
        { method: methodLabel(method), route, status: String(status) },
        durationMs / 1000,
      );
      logger.info('request', {
        requestId,
        method,
        route,
        status,
        durationMs: Math.round(durationMs),
        client: client.kind === 'keyed' ? client.scope : client.kind,
        address: request.ip,
        ...(!response.writableFinished && { aborted: true }),
      });
    });
    next();
  };
}

/** Anyone can make up methods; a metric must not grow with them. */
function methodLabel(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}
