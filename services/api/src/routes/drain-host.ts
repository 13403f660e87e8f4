import { CodedError } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';

/** POST /api/hosts/:id/drain: the host takes no more work; its calls may go on until DRAIN_TIMEOUT. */
export function drainHost(context: ApiContext): Route {
  return route(context, 'post');
}

/** DELETE /api/hosts/:id/drain: takes that back. */
export function undrainHost(context: ApiContext): Route {
  return route(context, 'delete');
}

function route({ redis, logger }: ApiContext, method: 'post' | 'delete'): Route {
  const isWanted = method === 'post';
  return defineRoute({
    method,
    paths: ['/api/hosts/:id/drain'],
    access: 'admin',
    async handle({ id, requestId }: Call) {
      const result = await redis.fleet.drain(id, isWanted);
      if (result.status === 'not_found') throw new CodedError('host_not_found');
      const { callsLeft } = result;
      logger.info(isWanted ? 'drain asked for' : 'drain taken back', { requestId, host: id, callsLeft });
      return { status: 200, body: { success: true, host: id, draining: isWanted, callsLeft } };
    },
  });
}
