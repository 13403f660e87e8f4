import { afterEach, expect, test } from '@jest/globals';
import { startRedis } from '@greenroom/test-kit';
import { RedisUnavailableError } from './errors.js';
import { openRedis } from './open-redis.js';
import { RedisClock } from './redis-clock.js';

const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
});

test('goes on from what Redis said, however the machine’s clock is set', () => {
  const clock = new RedisClock();
  expect([clock.isKnown, Math.abs(clock.now() - Date.now()) < 50]).toEqual([false, true]);
  clock.hear(1_000_000);
  Date.now = () => realNow() + 3_600_000;
  expect(clock.isKnown).toBe(true);
  expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
  expect(clock.now()).toBeLessThan(1_000_500);
});

test('an answer that was long on its way does not set it back', () => {
  const clock = new RedisClock();
  clock.hear(1_000_000);
  clock.hear(999_400);
  expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
});

test('whoever needs it asks for it, and is told when Redis does not answer', async () => {
  const redis = await startRedis();
  const schema = openRedis({ url: redis.url, clientName: 'test', commandTimeoutMs: 300 });
  try {
    await schema.connected(2_000);
    await schema.clock.known();
    expect(schema.clock.isKnown).toBe(true);
  } finally {
    await schema.close();
    await redis.stop();
  }
  const gone = openRedis({ url: redis.url, clientName: 'test', commandTimeoutMs: 300 });
  await expect(gone.clock.known()).rejects.toBeInstanceOf(RedisUnavailableError);
  await gone.close();
});
