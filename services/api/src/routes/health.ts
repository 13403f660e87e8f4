import { readFileSync } from 'node:fs';
import type { DependencyStatus, HealthView } from '@greenroom/contracts';
import { type HealthCounts, RedisUnavailableError } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';

/** GET /api/health and /health: counts and what we depend on. */
export function health({ redis, livekit, lineWatch }: ApiContext): Route {
  const version = readVersion();
  return defineRoute({
    method: 'get',
    paths: ['/api/health', '/health'],
    access: 'anyone',
    async handle() {
      const startedAt = performance.now();
      const [counts, livekitStatus] = await Promise.all([readCounts(redis), livekit.read()]);
      if (!counts) {
        const body = { ...unhealthy(livekitStatus, lineWatch.maxSessions), version };
        return { status: 503, body, headers: { 'Retry-After': '2' } };
      }
      const latencyMs = Math.round(performance.now() - startedAt);
      return {
        status: 200,
        body: {
          ...viewHealth(
            counts,
            { redis: viewRedis(counts, latencyMs), livekit: livekitStatus },
            lineWatch.maxSessions,
          ),
          version,
        },
      };
    },
  });
}

async function readCounts(redis: ApiContext['redis']): Promise<HealthCounts | undefined> {
  try {
    return await redis.health.read();
  } catch (error) {
    if (error instanceof RedisUnavailableError) return undefined;
    throw error;
  }
}

function viewHealth(
  counts: HealthCounts,
  dependencies: { redis: DependencyStatus; livekit: DependencyStatus },
  max: number,
): HealthView {
  const { ready, starting, pool, warming, queued, callers, hosts, totals, failingProfiles } = counts;
  const isWhole =
    dependencies.livekit.status === 'up' && hosts > 0 && failingProfiles.length === 0 && !counts.recovering;
  return {
    success: true,
    status: isWhole ? 'healthy' : 'degraded',
    sessions: { ready, starting, pool, warming, queued },
    stats: totals,
    capacity: { current: callers, max, available: Math.max(0, max - callers) },
    ...(failingProfiles.length > 0 && { failingProfiles }),
    dependencies: { ...dependencies, spawners: spawnersOf(hosts) },
  };
}

function viewRedis({ recovering }: HealthCounts, latencyMs: number): DependencyStatus {
  return { status: 'up', latencyMs, ...(recovering && { detail: 'recovering' }) };
}

function spawnersOf(hosts: number): HealthView['dependencies']['spawners'] {
  return hosts > 0
    ? { status: 'up', count: hosts }
    : { status: 'down', count: 0, detail: 'no spawner has reported lately' };
}

/** Without Redis nothing is known: zeros, and nobody is let in. */
function unhealthy(livekit: DependencyStatus, max: number): HealthView {
  return {
    success: false,
    status: 'unhealthy',
    sessions: { ready: 0, starting: 0, pool: 0, warming: 0, queued: 0 },
    stats: { totalSpawned: 0, totalAssigned: 0, totalReady: 0, totalEnded: 0, totalFailed: 0 },
    capacity: { current: 0, max, available: 0 },
    dependencies: {
      redis: { status: 'down', detail: 'cannot be reached' },
      livekit,
      spawners: { status: 'down', count: 0, detail: 'unknown without Redis' },
    },
  };
}

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
