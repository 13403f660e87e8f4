import { existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { isAlive } from './process-facts.js';
import { startRedis } from './redis.js';

test('two servers live side by side, and stop leaves nothing', async () => {
  const [one, two] = await Promise.all([startRedis(), startRedis()]);
  await one.command('SET', 'greeting', 'hällo');
  expect(await one.command('GET', 'greeting')).toBe('hällo');
  expect(await two.command('GET', 'greeting')).toBeNull();
  expect(await one.command('CONFIG', 'GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  const [, dir] = (await one.command('CONFIG', 'GET', 'dir')) as [string, string];
  await Promise.all([one.stop(), two.stop()]);
  expect([isAlive(one.pid), isAlive(two.pid), existsSync(dir)]).toEqual([false, false, false]);
});

test('a paused server hangs, a killed one refuses, a restarted persistent one remembers', async () => {
  const redis = await startRedis({
    persistent: true,
    password: 'p@ss word',
    config: { appendfsync: 'always' },
  });
  try {
    await redis.command('RPUSH', 'list', 'a', 2);
    redis.pause();
    await expect(redis.command('PING')).rejects.toThrow(/did not answer/);
    redis.resume();
    expect(await redis.command('PING')).toBe('PONG');
    await redis.kill();
    await expect(redis.command('PING')).rejects.toThrow(/ECONNREFUSED/);
    await redis.restart();
    expect(await redis.command('LRANGE', 'list', 0, -1)).toEqual(['a', '2']);
    await expect(redis.command('GET', 'list')).rejects.toThrow(/WRONGTYPE/);
  } finally {
    await redis.stop();
  }
});
