import { expect, test } from '@jest/globals';
import { RedisUnsuitableError } from './index.js';
import { redis, schema, useRedis } from './testing/steps.js';

const OURS = { name: 'default', voices: [], poolTarget: 0 };

useRedis(undefined, { keyPrefix: 'p:' });

test('whoever registers a host writes the schema of the data, again after it was lost', async () => {
  await schema.check();
  await schema.hosts.register('a', [OURS]);
  expect(await redis.command('GET', 'p:schema')).toBe('1');
  await schema.check();
  await redis.command('FLUSHALL');
  await schema.hosts.register('a', [OURS]);
  expect(await redis.command('GET', 'p:schema')).toBe('1');
});

test('data of a version that we do not know is refused, with what to do, and not touched', async () => {
  await redis.command('SET', 'p:schema', '2');
  for (const refused of [schema.check(), schema.hosts.register('a', [OURS])]) {
    const error = await refused.catch((it: unknown) => it);
    expect(error).toBeInstanceOf(RedisUnsuitableError);
    expect((error as Error).message).toMatch(
      /The data in Redis has schema 2, and this version knows 1\. Start the version that wrote it/,
    );
  }
  expect(await redis.command('EXISTS', 'p:host:a', 'p:profiles', 'p:deployment', 'p:epoch')).toBe(0);
});

test('data without a number is of a version before there was one, and is used', async () => {
  await redis.command('HSET', 'p:host:a', 'lastSeenAt', '1');
  await schema.check();
  await schema.hosts.register('a', [OURS]);
  expect(await redis.command('GET', 'p:schema')).toBe('1');
});
