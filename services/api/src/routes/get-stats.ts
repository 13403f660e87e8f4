import type { StatsCounts, StatsPoint, StatsView } from '@greenroom/contracts';
import { StartTimes, type StatsBucket, type StatsSeries, type StatsWindow } from '@greenroom/redis-schema';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { isoTime } from '../sessions/session-view.js';

interface StatsQuery {
  window: StatsWindow;
}

const query = Joi.object<StatsQuery>({ window: Joi.string().valid('hour', 'day').default('hour') });

/** GET /api/stats: numbers for charts, from what the steps have counted. */
export function getStats({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/stats'],
    access: 'admin',
    query,
    async handle({ query: { window } }: Call<unknown, StatsQuery>) {
      return { status: 200, body: viewStats(window, await redis.stats.read(window)) };
    },
  });
}

function viewStats(window: StatsWindow, { from, to, stepMs, buckets }: StatsSeries): StatsView {
  return {
    success: true,
    window,
    from: isoTime(from),
    to: isoTime(to),
    stepMs,
    points: buckets.map(viewPoint),
    totals: viewTotals(buckets),
  };
}

function viewPoint(bucket: StatsBucket): StatsPoint {
  return {
    at: isoTime(bucket.at),
    ...viewCounts(bucket),
    callers: bucket.callers ?? null,
    capacity: bucket.capacity ?? null,
  };
}

function viewCounts(counts: Omit<StatsCounts, 'startMs'> & { startTimes: StartTimes }): StatsCounts {
  const { starts, warmStarts, failed, ended, errors, startTimes } = counts;
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => startTimes.percentile(share));
  const hasAll = p50 !== undefined && p95 !== undefined && p99 !== undefined;
  return { starts, warmStarts, failed, ended, errors, startMs: hasAll ? { p50, p95, p99 } : null };
}

function viewTotals(buckets: readonly StatsBucket[]): StatsView['totals'] {
  const total = { starts: 0, warmStarts: 0, failed: 0, ended: 0, errors: 0, startTimes: new StartTimes() };
  const endReasons: Record<string, number> = {};
  for (const bucket of buckets) {
    for (const name of ['starts', 'warmStarts', 'failed', 'ended', 'errors'] as const)
      total[name] += bucket[name];
    total.startTimes.addAll(bucket.startTimes);
    for (const [reason, count] of Object.entries(bucket.endReasons))
      endReasons[reason] = (endReasons[reason] ?? 0) + count;
  }
  const hitRate = total.starts > 0 ? total.warmStarts / total.starts : null;
  return { ...viewCounts(total), hitRate, endReasons };
}
