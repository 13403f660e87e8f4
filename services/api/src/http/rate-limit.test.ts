import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ADMIN_TOKEN, CLIENT_KEY, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';
import { addressOf } from './rate-limit.js';

let redis: TestRedis;
let api: TestApi | undefined;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(() => redis.command('FLUSHALL'));
afterEach(() => api?.close());

async function open(env: Record<string, string>): Promise<TestApi> {
  api = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '3', ...env } });
  await new StandInSpawner(api.schema).register();
  return api;
}

/** Statuses of starts one after the other. */
async function startTimes(
  count: number,
  which: TestApi,
  headers: Record<string, string> = {},
  body: object = {},
) {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) {
    statuses.push((await which.post('/api/session/start', body).set(headers)).status);
  }
  return statuses;
}

const statusesOf = (accepted: number, refused: number) => [
  ...Array(accepted).fill(202),
  ...Array(refused).fill(429),
];

test('an open client gets so many starts a minute, then 429 with Retry-After', async () => {
  const limited = await open({});
  expect(await startTimes(3, limited)).toEqual(statusesOf(3, 0));
  const { status, headers, body } = await limited.post('/api/session/start', {});
  expect([status, body.code, headers['content-type']]).toEqual([
    429,
    'rate_limited',
    'application/problem+json',
  ]);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
  expect((await limited.get('/api/profiles')).status).toBe(200);
});

test('behind a proxy clients are told apart by the address it gives; without one they cannot make one up', async () => {
  const proxied = await open({ TRUST_PROXY: '1' });
  expect(await startTimes(4, proxied, { 'X-Forwarded-For': '203.0.113.1' })).toEqual(statusesOf(3, 1));
  expect(await startTimes(1, proxied, { 'X-Forwarded-For': '203.0.113.2' })).toEqual(statusesOf(1, 0));
  await proxied.close();
  await redis.command('FLUSHALL');
  const direct = await open({});
  expect(await startTimes(3, direct, { 'X-Forwarded-For': '203.0.113.3' })).toEqual(statusesOf(3, 0));
  expect(await startTimes(1, direct, { 'X-Forwarded-For': '203.0.113.4' })).toEqual(statusesOf(0, 1));
});

test('one who owns a network of IPv6 is one client, one of IPv4 is one address', () => {
  expect(addressOf('2001:db8:1:2::1')).toBe(addressOf('2001:db8:1:2:ffff::2'));
  expect(addressOf('2001:db8:1::1')).not.toBe(addressOf('2001:db9:1::1'));
  expect(addressOf('::ffff:203.0.113.1')).toBe('203.0.113.1');
  expect(addressOf('::ffff:203.0.113.2')).not.toBe(addressOf('203.0.113.1'));
});

test('a keyed client gets ten times that for each of its users, an admin any number', async () => {
  const keyed = await open({ RATE_LIMIT_PER_MINUTE: '1', CLIENT_API_KEYS: CLIENT_KEY });
  const asClient = { Authorization: `Bearer ${CLIENT_KEY}` };
  expect(await startTimes(11, keyed, asClient, { userId: 'u1' })).toEqual(statusesOf(10, 1));
  expect(await startTimes(1, keyed, asClient, { userId: 'u2' })).toEqual(statusesOf(1, 0));
  expect(await startTimes(12, keyed, { Authorization: `Bearer ${ADMIN_TOKEN}` })).toEqual(statusesOf(12, 0));
});

test('a request that is refused for another reason does not count', async () => {
  const limited = await open({});
  for (let index = 0; index < 5; index += 1) await limited.post('/api/session/start', { nonsense: 1 });
  expect(await startTimes(3, limited)).toEqual(statusesOf(3, 0));
});

test('tokens have a wider limit of their own', async () => {
  const limited = await open({ RATE_LIMIT_PER_MINUTE: '1' });
  const { sessionId } = await limited.start();
  const statuses: number[] = [];
  for (let index = 0; index < 11; index += 1) {
    statuses.push((await limited.post('/api/token', { sessionId })).status);
  }
  expect(statuses).toEqual([...Array(10).fill(201), 429]);
});

test('the count is shared by all instances, under the prefix of the deployment, and forgotten after a minute', async () => {
  const first = await open({ REDIS_KEY_PREFIX: 'blue:' });
  const second = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '3', REDIS_KEY_PREFIX: 'blue:' } });
  expect(await startTimes(2, first)).toEqual(statusesOf(2, 0));
  expect(await startTimes(2, second)).toEqual(statusesOf(1, 1));
  await second.close();
  const keys = (await redis.command('KEYS', '*limit:*')) as string[];
  expect(keys).toEqual(['blue:limit:start:address:127.0.0.1']);
  const ttl = Number(await redis.command('PTTL', keys[0] ?? ''));
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(60_000);
});

test('a server that forgot the script gets it again', async () => {
  const limited = await open({});
  expect(await startTimes(1, limited)).toEqual(statusesOf(1, 0));
  await redis.command('SCRIPT', 'FLUSH');
  expect(await startTimes(3, limited)).toEqual(statusesOf(2, 1));
});
