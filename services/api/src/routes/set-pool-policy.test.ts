import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await spawner.register(3);
});

function put(policy: unknown, profile?: string) {
  return api.adminPut('/api/pool/policy', { policy, profile });
}

test('a policy holds at once, and the pool shows it with its target and why', async () => {
  await spawner.warmUp();
  await api.start();
  const { status, body } = await put({ kind: 'buffer', size: '200%', max: 8 });
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    profile: 'default',
    policy: { kind: 'buffer', size: '200%', min: 0, max: 8 },
    target: 2,
    previous: 3,
  });
  expect((await api.adminGet('/api/pool')).body).toMatchObject({
    target: 2,
    policy: { kind: 'buffer', size: '200%' },
    callers: 1,
    starts: 1,
    warmStarts: 1,
    why: '200% of 1 live calls, at least 0, at most 8',
  });
  expect(await redis.command('GET', 'pool:target')).toBe('2');
});

test('of a rate the pool shows what was measured', async () => {
  await spawner.warmUp();
  await put({ kind: 'rate', min: 0, max: 9, safety: 0, windowSeconds: 60 });
  await redis.command('HSET', 'pool:stats', 'replace_ms:default', '6000');
  await api.start();
  const { body } = await api.adminGet('/api/pool');
  expect(body).toMatchObject({ target: 1, replaceMs: 6000, policy: { kind: 'rate' }, starts: 1 });
  // One within a tenth of a minute, and fading.
  expect(body.arrivalsPerMinute).toBeGreaterThan(9);
  expect(body.arrivalsPerMinute).toBeLessThanOrEqual(10);
  expect(body.why).toMatch(/starts a minute x 6 s to replace an agent = .*, at least 0, at most 9$/);
});

test('a schedule says at once what it says now, and until when', async () => {
  const entries = [{ cron: '* * * * *', size: 7 }];
  expect((await put({ kind: 'schedule', base: 1, entries }, 'other')).body).toMatchObject({
    profile: 'other',
    target: 7,
    policy: { kind: 'schedule', timeZone: 'UTC', base: 1, entries },
  });
  const other = (await api.adminGet('/api/pool')).body.pools[1];
  expect(Date.parse(other.scheduledUntil) - Date.now()).toBeLessThanOrEqual(60_000);
  expect(other.why).toBe(`by the clock, until ${other.scheduledUntil}`);
});

test('a resize is a policy of a fixed size', async () => {
  await put({ kind: 'rate', max: 9 });
  const { body } = await api.adminPost('/api/pool/resize', { size: 4 });
  expect(body).toEqual({ success: true, profile: 'default', target: 4, previous: 1 });
  expect((await api.adminGet('/api/pool')).body).toMatchObject({
    target: 4,
    policy: { kind: 'fixed', size: 4 },
  });
});

test('what is no policy is refused and changes nothing; so is whoever is no admin, and an unknown profile', async () => {
  const wrong = await put({ kind: 'rate', min: 5, max: 3 });
  expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_request']);
  expect(wrong.body.errors).toEqual([
    { field: 'policy.max', message: '"policy.max" must not be less than min' },
  ]);
  expect((await put(undefined)).body.code).toBe('invalid_request');
  expect((await put({ kind: 'fixed', size: 1 }, 'butler')).body.code).toBe('unknown_profile');
  expect((await api.post('/api/pool/policy', {})).status).toBe(405);
  expect(await redis.command('EXISTS', 'pool:policy')).toBe(0);
  expect(await redis.command('GET', 'pool:target')).toBe('3');
});
