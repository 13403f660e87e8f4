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

const end = (sessionId: string, reason?: string) => api.post('/api/session/end', { sessionId, reason });

test.each(['/api/session/end', '/api/session/stop'])(
  '%s asks for the end, and again while it goes on',
  async (path) => {
    const { sessionId } = await api.start();
    const ref = await spawner.launchNext();
    const first = await api.post(path, { sessionId, reason: 'hung up' });
    expect(first.status).toBe(202);
    expect(first.body).toEqual({ success: true, sessionId, status: 'ending', message: expect.any(String) });
    expect((await api.get(`/api/session/${sessionId}`)).body).toMatchObject({
      status: 'ending',
      endReason: 'caller_ended',
    });
    expect(await api.schema.sessions.readRaw(sessionId)).toMatchObject({
      endDetail: 'hung up',
      endedBy: 'caller',
    });

    const second = await api.post(path, { sessionId });
    expect([second.status, second.body.status]).toEqual([202, 'ending']);

    await api.schema.sessions.finishEnd(sessionId, ref.generation);
    const third = await api.post(path, { sessionId });
    expect([third.status, third.body.code, third.body.endReason]).toEqual([
      404,
      'session_ended',
      'caller_ended',
    ]);
  },
);

test('a session that no spawner has claimed is over at once, and was accepted', async () => {
  const { sessionId } = await api.start();
  expect((await end(sessionId)).status).toBe(202);
  expect((await end(sessionId)).body.code).toBe('session_ended');
});

test('an admin ends by its own reason', async () => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  expect((await api.adminPost('/api/session/end', { sessionId })).status).toBe(202);
  expect(await api.schema.sessions.readRaw(sessionId)).toMatchObject({
    endReason: 'admin_ended',
    endedBy: 'admin',
  });
});

test('at once is for admins only', async () => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  const body = { sessionId, immediately: true };
  expect((await api.post('/api/session/end', body)).body.code).toBe('forbidden');
  expect((await api.get(`/api/session/${sessionId}`)).body.status).toBe('ready');
  expect((await api.adminPost('/api/session/end', body)).status).toBe(202);
  expect(await api.schema.sessions.readRaw(sessionId)).toMatchObject({ status: 'ending', endAtOnce: '1' });
});

test('a warm agent that belongs to nobody is ended by admins only', async () => {
  const id = await spawner.warmUp();
  expect((await end(id)).body.code).toBe('session_not_found');
  expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([id]);
  expect((await api.adminPost('/api/session/end', { sessionId: id })).status).toBe(202);
  expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([]);
});

test('a warm agent that has a caller is ended by that caller', async () => {
  const id = await spawner.warmUp();
  await api.start();
  expect((await end(id)).status).toBe(202);
});

test.each(['session_aaaaaaaaaaaaaaaaaaaaaaaa', 'session_x', 'user:42', '../../etc/passwd', ''])(
  'id %j that never was is refused',
  async (id) => {
    const { status, body } = await end(id);
    expect([404, 400]).toContain(status);
    expect(['session_not_found', 'invalid_request']).toContain(body.code);
  },
);
