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

function fixedAt(size: number) {
  return { policy: { kind: 'fixed', size }, why: 'a fixed size', starts: 0, warmStarts: 0 };
}

test('the pool shows what is wanted, ready and warming, for each profile', async () => {
  await spawner.warmUp();
  const { status, body } = await api.adminGet('/api/pool');
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    profile: 'default',
    target: 3,
    ready: 1,
    warming: 0,
    ...fixedAt(3),
    pools: [
      { profile: 'default', target: 3, ready: 1, warming: 0, ...fixedAt(3) },
      { profile: 'other', target: 0, ready: 0, warming: 0, ...fixedAt(0) },
    ],
  });
});

test('a resize answers the old and the new size; shrinking ends idle warm agents, never a call', async () => {
  const busy = await spawner.warmUp();
  await api.start();
  const idle = await spawner.warmUp();
  const { status, body } = await api.adminPost('/api/pool/resize', { size: 0 });
  expect(status).toBe(200);
  expect(body).toEqual({ success: true, profile: 'default', target: 0, previous: 3 });
  expect((await api.get(`/api/session/${busy}`)).body.status).toBe('ready');
  expect((await api.adminGet(`/api/session/${idle}`)).body).toMatchObject({
    status: 'ending',
    endReason: 'pool_resized',
  });
  expect((await api.adminPost('/api/pool/resize', { size: 2, profile: 'other' })).body).toMatchObject({
    profile: 'other',
    target: 2,
    previous: 0,
  });
});

test.each([
  {},
  { size: -1 },
  { size: 1.5 },
  { size: '3' },
  { size: 1e9 },
  { size: 1, profile: 'a:b' },
  { size: 1, extra: 1 },
])('%j is refused and changes nothing', async (request) => {
  const { status, body } = await api.adminPost('/api/pool/resize', request);
  expect([status, body.code]).toEqual([400, 'invalid_request']);
  expect(await redis.command('GET', 'pool:target')).toBe('3');
});

test('an unknown profile is told', async () => {
  const { status, body } = await api.adminPost('/api/pool/resize', { size: 1, profile: 'butler' });
  expect([status, body.code]).toEqual([400, 'unknown_profile']);
});

test('clients see the profiles and their voices', async () => {
  const { status, body } = await api.get('/api/profiles');
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    profiles: [
      { name: 'default', description: 'Talks', voices: [{ id: 'awb', name: 'Alan' }] },
      { name: 'other', voices: [] },
    ],
  });
});
