import type { PoolView } from '@greenroom/contracts';
import type { PoolCounts } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { isoTime } from '../sessions/session-view.js';

/** GET /api/pool: warm agents of each profile; those of the default profile also at the top. */
export function getPool({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/pool'],
    access: 'admin',
    async handle() {
      const pools = (await redis.pools.read()).map(viewPool);
      const ofDefault = pools.find((pool) => pool.profile === 'default');
      return { status: 200, body: { success: true, ...ofDefault, pools } };
    },
  });
}

export function viewPool({ breaker, ...counts }: PoolCounts): PoolView {
  return { ...counts, ...(breaker && { breaker: { ...breaker, openUntil: isoTime(breaker.openUntil) } }) };
}
