import { describe, expect, test } from '@jest/globals';
import type { LaunchRef, StatsBucket } from './index.js';
import { addHost, clockMs, end, launch, listWarm, start, startId, warmUp } from './testing/line.js';
import { claim, heartbeat, PROCESS, redis, schema, spawn, useRedis } from './testing/steps.js';

const MINUTE = 60_000;

// A test must not begin in one minute and end in the next.
useRedis(async () => {
  const left = MINUTE - ((await clockMs()) % MINUTE);
  if (left < 3000) await new Promise((resolve) => setTimeout(resolve, left));
  await addHost('a');
  await schema.sessions.admit({ maxSessions: 2 });
});

async function now(): Promise<StatsBucket> {
  const bucket = (await schema.stats.read('hour')).buckets.at(-1);
  if (bucket === undefined) throw new Error('no bucket');
  return bucket;
}

const percentile = ({ startTimes }: StatsBucket, share: number) => startTimes.percentile(share);

/** As if the caller had asked so much earlier. */
const askedAgo = (id: string, ms: number) => redis.command('HINCRBY', `session:${id}`, 'askedAt', -ms);

function fail(ref: LaunchRef, maxAttempts = 1) {
  return schema.sessions.failLaunch(ref, {
    error: 'It exited.',
    lastLines: [],
    maxAttempts,
    backoffMs: 0,
    holdoffBaseMs: 1,
    holdoffMaxMs: 1,
    isAgentsFault: true,
  });
}

describe('what is counted of starts', () => {
  test('a warm one, one that waits for its agent, one in line; a user who comes back is no start', async () => {
    await warmUp('default', 'a');
    await startId({ userId: 'ann' });
    await start({ userId: 'ann' });
    const cold = await startId({ sessionId: 'session_0000000000000000000cold' });
    await start({ sessionId: cold });
    await startId();
    expect(await now()).toMatchObject({ starts: 3, warmStarts: 1, failed: 0, ended: 0, errors: 0 });
    expect(await now()).toMatchObject({ callers: 2, capacity: 2 });
  });

  test('how long each was, from the question to its first agent, once', async () => {
    await warmUp('default', 'a');
    await startId();
    const slow = await startId();
    await askedAgo(slow, 8000);
    const ref = await spawn('a');
    await schema.sessions.markReady(ref, 500);
    await schema.sessions.markReady(ref, 500);
    expect(percentile(await now(), 0.5)).toBe(0);
    expect(Math.abs((percentile(await now(), 0.99) ?? 0) - 8000)).toBeLessThan(500);
    await schema.sessions.restart(ref, { cause: 'admin_restart', maxRestarts: 3, periodMs: MINUTE });
    await askedAgo(slow, 3_600_000);
    await launch('a');
    expect(percentile(await now(), 1)).toBeLessThan(9000);
    expect(await now()).toMatchObject({ errors: 0 });
  });

  test('percentiles of a thousand are exact to 5 %', async () => {
    const { startTimes } = await now();
    for (let ms = 1; ms <= 1000; ms += 1) startTimes.add(1 + Math.floor(Math.log2(ms) * 8), 1);
    for (const share of [0.01, 0.5, 0.95, 0.99]) {
      expect(Math.abs((startTimes.percentile(share) ?? 0) / (share * 1000) - 1)).toBeLessThan(0.05);
    }
    expect(percentile(await now(), 0.5)).toBeUndefined();
  });
});

describe('what is counted of ends and errors', () => {
  test('each end by its reason, once, however often the step is taken', async () => {
    const ref = (await startId(), (await launch('a')).ref);
    await end(ref.sessionId);
    await schema.sessions.finishEnd(ref.sessionId, ref.generation);
    await startId();
    await schema.sessions.requestEnd({ sessionId: await startId(), reason: 'caller_left', by: 'caller' });
    expect(await now()).toMatchObject({
      ended: 2,
      endReasons: { caller_ended: 1, caller_left: 1 },
      errors: 0,
    });
  });

  test('a start counts as failed when it is given up, and not with each attempt', async () => {
    await startId();
    await fail(await claim('a'), 2);
    expect(await now()).toMatchObject({ failed: 0, errors: 0 });
    const last = await claim('a');
    await fail(last, 2);
    await fail(last, 2);
    expect(await now()).toMatchObject({ failed: 1, errors: 1, ended: 1, endReasons: { start_failed: 1 } });
  });

  test('a call that could not be led to its agent, though that was ready', async () => {
    await startId();
    const { ref } = await launch('a');
    await schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'start_failed', by: 'spawner' });
    await schema.sessions.finishEnd(ref.sessionId, ref.generation);
    expect(await now()).toMatchObject({ failed: 0, errors: 1, ended: 1, endReasons: { start_failed: 1 } });
  });

  test('a warm agent that cannot be started is an error and nobody’s start; one that is not used is nothing', async () => {
    await warmUp('default', 'a');
    await schema.pools.resize('default', 0);
    await schema.pools.resize('default', 1);
    await listWarm();
    await fail(await claim('a'));
    expect(await now()).toMatchObject({ starts: 0, failed: 0, ended: 0, errors: 1, endReasons: {} });
  });

  test('each crash, of a call that gets another agent and of one that ends with it', async () => {
    await startId();
    const first = await spawn('a');
    await schema.sessions.markReady(first, 1);
    const crash = { cause: 'agent_crashed', maxRestarts: 1, periodMs: MINUTE } as const;
    await schema.sessions.restart(first, crash);
    await schema.sessions.restart(first, crash);
    expect(await now()).toMatchObject({ errors: 1, ended: 0 });
    const second = await claim('a');
    await schema.sessions.commitLaunch(second, PROCESS);
    await schema.sessions.markReady(second, 1);
    expect(await schema.sessions.restart(second, crash)).toEqual({ status: 'exhausted' });
    await schema.sessions.requestEnd({ sessionId: second.sessionId, reason: 'agent_crashed', by: 'agent' });
    await schema.sessions.finishEnd(second.sessionId, second.generation);
    expect(await now()).toMatchObject({ errors: 2, ended: 1, endReasons: { agent_crashed: 1 } });
  });
});

describe('the series', () => {
  /** As if what was counted now had been counted so long ago. */
  async function putBack(name: 'minute' | 'quarter', stepMs: number, steps: number): Promise<void> {
    const at = Math.floor((await clockMs()) / stepMs) * stepMs;
    await redis.command('RENAME', `stats:${name}:${at}`, `stats:${name}:${at - steps * stepMs}`);
  }

  test('has each minute of the hour and each quarter of the day, without a gap', async () => {
    await startId();
    await putBack('minute', MINUTE, 59);
    await putBack('quarter', 15 * MINUTE, 95);
    await startId();
    for (const [window, count, stepMs] of [
      ['hour', 60, MINUTE],
      ['day', 96, 15 * MINUTE],
    ] as const) {
      const { from, to, buckets, stepMs: step } = await schema.stats.read(window);
      expect([step, buckets.length, from % stepMs]).toEqual([stepMs, count, 0]);
      expect(buckets.map(({ at }) => at)).toEqual(buckets.map((_, i) => from + i * stepMs));
      expect(to - (buckets.at(-1)?.at ?? 0)).toBeLessThan(stepMs);
      expect(buckets.map(({ starts }) => starts)).toEqual([1, ...Array(count - 2).fill(0), 1]);
      expect(buckets[1]).toMatchObject({ callers: undefined, capacity: undefined });
      expect(buckets.at(-1)).toMatchObject({ callers: 2, capacity: 2 });
    }
  });

  test('keeps the highest number of callers, and knows it of a minute in which nobody comes or goes', async () => {
    await startId();
    const id = await startId();
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect(await now()).toMatchObject({ callers: 2 });
    await putBack('minute', MINUTE, 1);
    await schema.sessions.admit({ maxSessions: 3 });
    await heartbeat('a');
    expect(await now()).toMatchObject({ callers: 1, capacity: 3, starts: 0 });
  });

  test('goes by itself, begins anew with the data, and needs none from before', async () => {
    await startId();
    for (const key of (await redis.command('KEYS', 'stats:*')) as string[]) {
      const ttlMs = Number(await redis.command('PTTL', key));
      expect(ttlMs).toBeGreaterThan(key.includes('minute') ? 3_600_000 : 86_400_000);
      expect(ttlMs).toBeLessThanOrEqual(key.includes('minute') ? 7_200_000 : 93_600_000);
    }
    expect(await redis.command('KEYS', 'stats:*')).toHaveLength(2);
    await redis.command('FLUSHALL');
    expect((await schema.stats.read('hour')).buckets.every(({ starts }) => starts === 0)).toBe(true);
    await addHost('a');
    await startId();
    expect(await now()).toMatchObject({ starts: 1, callers: 1, capacity: 2 });
  });

  test('takes little memory, whatever happens', async () => {
    const at = Math.floor((await clockMs()) / MINUTE) * MINUTE;
    const fields = Array.from({ length: 120 }, (_, i) => [`startMs:${i}`, 100_000]).flat();
    await redis.command('HSET', `stats:minute:${at}`, ...fields);
    await startId();
    expect(Number(await redis.command('MEMORY', 'USAGE', `stats:minute:${at}`))).toBeLessThan(4096);
  });
});
