import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

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

const restart = (sessionId: string) => api.adminPost(`/api/session/${sessionId}/restart`);

async function startCall() {
  const { sessionId } = await api.start();
  return { sessionId, ref: await spawner.launchNext() };
}

test('the owner hears of the wish with its next heartbeat, until it has done it; asking again is no error', async () => {
  const { sessionId, ref } = await startCall();
  const { status, body } = await restart(sessionId);
  expect(status).toBe(202);
  expect(body).toEqual({ success: true, sessionId, status: 'restarting', message: expect.any(String) });
  expect((await restart(sessionId)).status).toBe(202);
  const asked = async () => (await redis.command('SMEMBERS', `host:${HOST}:restarting`)) as string[];
  expect(await asked()).toEqual([sessionId]);
  const policy = { cause: 'admin_restart', maxRestarts: 0, periodMs: 60_000 } as const;
  expect(await api.schema.sessions.restart(ref, policy)).toEqual({ status: 'restarting' });
  expect(await asked()).toEqual([]);
  expect((await restart(sessionId)).status).toBe(202);
  expect((await api.get(`/api/session/${sessionId}`)).body).toMatchObject({
    status: 'restarting',
    restarts: 1,
  });
});

test('it is for admins only', async () => {
  const { sessionId } = await startCall();
  const { status, body } = await api.post(`/api/session/${sessionId}/restart`);
  expect([status, body.code]).toEqual([401, 'unauthorized']);
  expect(await redis.command('EXISTS', `host:${HOST}:restarting`)).toBe(0);
});

test('without an agent that could be replaced it is refused', async () => {
  const { sessionId } = await api.start();
  expect(await restart(sessionId)).toMatchObject({ status: 409, body: { code: 'session_not_restartable' } });
  await spawner.launchNext();
  await api.post('/api/session/end', { sessionId });
  expect(await restart(sessionId)).toMatchObject({
    status: 409,
    body: { detail: 'Only a call with an agent can get a new one; this session is ending.' },
  });
  const warm = await spawner.warmUp();
  expect(await restart(warm)).toMatchObject({ status: 409, body: { code: 'session_not_restartable' } });
});

test('of a session that is over, or never was, it is a 404', async () => {
  const { sessionId, ref } = await startCall();
  await api.post('/api/session/end', { sessionId });
  await api.schema.sessions.finishEnd(sessionId, ref.generation);
  expect(await restart(sessionId)).toMatchObject({ status: 404, body: { code: 'session_ended' } });
  expect(await restart('session_aaaaaaaaaaaaaaaaaaaaaaaa')).toMatchObject({
    status: 404,
    body: { code: 'session_not_found' },
  });
  expect(await restart('nonsense')).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
});

test('where nobody would do it, it is not left waiting', async () => {
  const { sessionId } = await startCall();
  await redis.command('HSET', `host:${HOST}`, 'draining', '1');
  expect(await restart(sessionId)).toMatchObject({ status: 503, body: { code: 'no_host' } });
  await redis.command('ZADD', 'hosts', '1', HOST);
  expect(await restart(sessionId)).toMatchObject({ status: 503, body: { code: 'host_unreachable' } });
  expect(await redis.command('EXISTS', `host:${HOST}:restarting`)).toBe(0);
});
