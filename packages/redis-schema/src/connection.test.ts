import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { openRedis, RedisUnavailableError, RedisUnsuitableError } from './index.js';

const open = (url: string) => openRedis({ url, clientName: 'test', commandTimeoutMs: 300 });

test('Redis Cluster is refused with a sentence that says what to use', async () => {
  const cluster = await startRedis({ config: { 'cluster-enabled': 'yes' } });
  const schema = open(cluster.url);
  try {
    await schema.connected(2000);
    await expect(schema.check()).rejects.toThrow(RedisUnsuitableError);
    await expect(schema.check()).rejects.toThrow(/standalone or Sentinel/);
  } finally {
    await schema.close();
    await cluster.stop();
  }
});

describe('a Redis that does not answer', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test('every kind of call fails in time with RedisUnavailableError, and works again afterwards', async () => {
    const schema = open(redis.url);
    await schema.connected(2000);
    await schema.check();
    await schema.health.read();
    redis.pause();
    const startedAt = performance.now();
    const calls = [
      schema.ping(),
      schema.health.read(),
      schema.sessions.read('session_x'),
      schema.agents.recentLines('session_x', 5),
      schema.hosts.sessionsOf('h'),
      schema.hosts.askProcesses('h', 'session_x', 5000),
      schema.bus.publish('c', 1),
      schema.doorbell.ring('default', { priority: 'caller' }),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(RedisUnavailableError) });
    }
    expect(performance.now() - startedAt).toBeLessThan(1000);
    redis.resume();
    await schema.ping();
    await schema.close();
  });

  test('a wake-up reaches its listener, and a lost connection is reported as a gap', async () => {
    const schema = open(redis.url);
    const heard: unknown[] = [];
    let gaps = 0;
    schema.bus.onGap(() => {
      gaps += 1;
    });
    await schema.connected(2000);
    await schema.bus.listen('c', (message) => heard.push(message));
    await schema.bus.publish('c', { kind: 'end' });
    await until(() => heard.length === 1);
    const before = gaps;
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => gaps > before);
    await schema.bus.publish('c', { kind: 'again' });
    await until(() => heard.length === 2);
    expect(heard).toEqual([{ kind: 'end' }, { kind: 'again' }]);
    await schema.close();
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}
