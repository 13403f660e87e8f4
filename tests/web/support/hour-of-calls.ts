import type { TestRedis } from '@greenroom/test-kit';

const MINUTE_MS = 60_000;
const MINUTES = 60;
const CAPACITY = 2_000;

/**
 * The last hour as the state steps count it (`commands/includes/stats.lua`), written in one go, and the same each time: the day goes on,
 * a rush comes in which the pool runs dry and some starts fail, and it is over. @returns how many starts there were
 */
export async function writeHourOfCalls(redis: TestRedis): Promise<number> {
  const thisMinute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  let starts = 0;
  // Not the first: it would leave the hour where a minute ends before the page asks.
  for (let minute = 1; minute < MINUTES; minute += 1) {
    const counts = countsOf(minute);
    starts += counts['starts'] ?? 0;
    const key = `stats:minute:${thisMinute - (MINUTES - 1 - minute) * MINUTE_MS}`;
    await redis.command('HSET', key, ...Object.entries(counts).flat());
  }
  return starts;
}

function countsOf(minute: number): Record<string, number> {
  const rush = Math.exp(-(((minute - 36) / 7) ** 2));
  const ripple = Math.sin(minute * 2.4) + Math.sin(minute / 5);
  const starts = Math.round(90 + 9 * ripple + 150 * rush);
  const failed = rush > 0.8 ? 3 : minute % 19 === 7 ? 1 : 0;
  const cold = Math.round(starts * (0.02 + 0.45 * rush ** 2));
  const ended = Math.round(88 + 8 * ripple + 120 * Math.exp(-(((minute - 42) / 8) ** 2)));
  return {
    starts,
    warmStarts: starts - cold,
    'startMs:0': starts - cold,
    ...startTimes(cold - failed, 900 + 2_600 * rush),
    failed,
    errors: failed + (minute % 11 === 4 ? 1 : 0),
    ended,
    'end:caller_ended': ended - failed - 4,
    'end:caller_left': 4,
    ...(failed > 0 && { 'end:start_failed': failed }),
    callers: Math.round(760 + 40 * ripple + 780 * Math.exp(-(((minute - 40) / 9) ** 2))),
    capacity: CAPACITY,
  };
}

/** Each a little slower than the one before. */
function startTimes(count: number, fastestMs: number): Record<string, number> {
  const times: Record<string, number> = {};
  for (let i = 0; i < count; i += 1) {
    const field = `startMs:${1 + Math.floor(Math.log2(fastestMs * (1 + i / count)) * 8)}`;
    times[field] = (times[field] ?? 0) + 1;
  }
  return times;
}
