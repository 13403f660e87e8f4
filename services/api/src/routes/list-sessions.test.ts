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
  await spawner.register();
});

const idsOf = (body: { sessions: { sessionId: string }[] }) =>
  body.sessions.map(({ sessionId }) => sessionId);

test('pages of live sessions, each one once, warm agents included', async () => {
  const started: string[] = [await spawner.warmUp()];
  for (let count = 0; count < 4; count += 1) started.push((await api.start({ profile: 'other' })).sessionId);
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 3; page += 1) {
    const { status, body } = await api.adminGet(`/api/sessions?limit=2${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    seen.push(...idsOf(body));
    expect(body.nextCursor === null).toBe(page === 2);
    cursor = body.nextCursor;
  }
  expect(seen).toHaveLength(5);
  expect(new Set(seen)).toEqual(new Set(started));
});

test('filters by state, user and profile', async () => {
  const ready = await api.start({ userId: 'u1' });
  await spawner.launchNext();
  const starting = await api.start({ userId: 'u2', profile: 'other' });
  const list = async (query: string) => idsOf((await api.adminGet(`/api/sessions?${query}`)).body);
  expect(await list('status=ready')).toEqual([ready.sessionId]);
  expect(await list('userId=u2')).toEqual([starting.sessionId]);
  expect(await list('profile=other')).toEqual([starting.sessionId]);
  expect(await list('host=host-a')).toEqual([ready.sessionId]);
  expect(await list('status=ending')).toEqual([]);
});

test.each([
  'limit=0',
  'limit=9999',
  'status=gone',
  'status=ready&status=ending',
  'nonsense=1',
  'cursor=%00',
  'cursor[a]=1',
])('?%s is refused', async (query) => {
  const { status, body } = await api.adminGet(`/api/sessions?${query}`);
  expect([status, body.code]).toEqual([400, 'invalid_request']);
});
