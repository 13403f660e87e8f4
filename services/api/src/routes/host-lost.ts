import { CodedError } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';

/** POST /api/hosts/:id/lost: an operator knows that a silent host will not come back as it was. */
export function hostLost({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/hosts/:id/lost'],
    access: 'admin',
    async handle({ id, requestId }: Call) {
      const result = await redis.fleet.declareLost(id);
      switch (result.status) {
        case 'ok': {
          const { moved, ended, dropped } = result;
          logger.warn('a host was declared lost', { requestId, host: id, moved, ended, dropped });
          return { status: 200, body: { success: true, host: id, moved, ended, dropped } };
        }
        case 'host_reachable':
        case 'not_found':
          throw new CodedError(result.status === 'not_found' ? 'host_not_found' : 'host_reachable');
      }
    },
  });
}
