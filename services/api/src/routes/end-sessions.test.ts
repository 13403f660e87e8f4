import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { CLIENT_KEY, HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

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

const end = (body: object) => api.adminPost('/api/sessions/end', body);

async function live(): Promise<string[]> {
  const { sessions } = (await api.adminGet('/api/sessions')).body;
  return sessions.map(({ status }: { status: string }) => status).sort();
}

test('a dry run counts, and then all that match are asked to end, and only those', async () => {
  await api.start();
  await spawner.launchNext();
  const warm = await spawner.warmUp();
  await api.start({ profile: 'other' });
  const filter = { host: HOST };
  const counted = await end({ filter, dryRun: true });
  expect([counted.status, counted.body]).toEqual([
    202,
    { success: true, matched: 2, asked: 0, dryRun: true },
  ]);
  expect(await live()).toEqual(['pooled', 'ready', 'starting']);
  const asked = await end({ filter, reason: 'new cable' });
  expect([asked.status, asked.body]).toEqual([202, { success: true, matched: 2, asked: 2, dryRun: false }]);
  expect(await live()).toEqual(['ending', 'ending', 'starting']);
  expect(await api.schema.sessions.readRaw(warm)).toMatchObject({
    endReason: 'admin_ended',
    endedBy: 'admin',
    endDetail: 'new cable',
  });
  expect((await end({ all: true, immediately: true })).body).toMatchObject({ matched: 3, asked: 3 });
  expect(await live()).toEqual(['ending', 'ending']);
  expect(await api.schema.sessions.readRaw(warm)).toMatchObject({ endAtOnce: '1' });
});

test('what would end everything by mistake is refused', async () => {
  await api.start();
  const refused = [
    {},
    { filter: {} },
    { all: false },
    { filter: { userId: 'a' }, all: true },
    { dryRun: true },
  ];
  for (const body of [...refused, { filter: { stats: 'ready' } }, { filter: { search: '' } }]) {
    const answer = await end(body);
    expect([answer.status, answer.body.code, body]).toEqual([400, 'invalid_request', body]);
  }
  expect((await end({ filter: {} })).body.detail).toContain('all: true');
  expect(await live()).toEqual(['starting']);
});

test('admins only', async () => {
  expect((await api.post('/api/sessions/end', { all: true })).status).toBe(401);
  const answer = await api
    .post('/api/sessions/end', { all: true })
    .set('Authorization', `Bearer ${CLIENT_KEY}`);
  expect(answer.status).toBe(401);
});

test.each([
  ['of many', (sessionId: string) => end({ filter: { search: sessionId.slice(-8) } })],
  ['of one', (sessionId: string) => api.post('/api/session/end', { sessionId })],
])('at the end %s, the room of a session whose host cannot be asked is deleted here', async (_, ask) => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  await redis.command('ZADD', 'hosts', Date.now() - 16_000, HOST);
  const close = jest.spyOn(api.context.rooms, 'close').mockResolvedValue();
  try {
    expect((await ask(sessionId)).status).toBe(202);
    expect(close.mock.calls).toEqual([[`greenroom-${sessionId}`]]);
  } finally {
    close.mockRestore();
  }
});

test('an age that every session has is no filter: nothing ends by it', async () => {
  await api.start();
  const { status, body } = await end({ filter: { olderThanMs: 0 } });
  expect([status, body.code]).toEqual([400, 'invalid_request']);
  expect(await live()).toEqual(['starting']);
});
