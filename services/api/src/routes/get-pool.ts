import type { PoolView } from '@greenroom/contracts';
import type { PoolCounts } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { isoTime } from '../sessions/session-view.js';

/** GET /api/pool: warm agents of each profile, how many there should be and why; those of the default profile also at the top. */
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

export function viewPool(pool: PoolCounts): PoolView {
  const { breaker, arrivalsPerMinute, replaceMs, scheduledUntil, ...counts } = pool;
  return {
    ...counts,
    why: explain(pool),
    ...(arrivalsPerMinute !== undefined && { arrivalsPerMinute: rounded(arrivalsPerMinute) }),
    ...(replaceMs !== undefined && { replaceMs: Math.round(replaceMs) }),
    ...(scheduledUntil !== undefined && { scheduledUntil: isoTime(scheduledUntil) }),
    ...(breaker && { breaker: { ...breaker, openUntil: isoTime(breaker.openUntil) } }),
  };
}

/** How the target came about, for people. */
function explain({
  policy,
  callers,
  arrivalsPerMinute = 0,
  replaceMs = 0,
  scheduledUntil,
}: PoolCounts): string {
  switch (policy.kind) {
    case 'fixed':
      return 'a fixed size';
    case 'buffer': {
      const buffer =
        typeof policy.size === 'number' ? `${policy.size}` : `${policy.size} of ${callers} live calls`;
      return `${buffer}, ${between(policy)}`;
    }
    case 'rate': {
      const expected = rounded((arrivalsPerMinute / 60_000) * replaceMs);
      const measured = `${rounded(arrivalsPerMinute)} starts a minute x ${rounded(replaceMs / 1000)} s to replace an agent`;
      return `${measured} = ${expected}, and ${policy.safety} x its square root for safety, ${between(policy)}`;
    }
    case 'schedule':
      return scheduledUntil === undefined ? 'by the clock' : `by the clock, until ${isoTime(scheduledUntil)}`;
  }
}

function between({ min, max }: { min: number; max: number }): string {
  return `at least ${min}, at most ${max}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
