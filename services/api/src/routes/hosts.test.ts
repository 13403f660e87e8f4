import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { ADMIN_TOKEN, HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

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

const hosts = async () => (await api.adminGet('/api/hosts')).body.hosts;
const drain = (host: string) => api.adminPost(`/api/hosts/${host}/drain`);
const undrain = (host: string) =>
  request(api.app).delete(`/api/hosts/${host}/drain`).set('Authorization', `Bearer ${ADMIN_TOKEN}`);
const lost = (host: string) => api.adminPost(`/api/hosts/${host}/lost`);

async function startCall(): Promise<string> {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  return sessionId;
}

test('the list says what a host has and how it is', async () => {
  await startCall();
  await api.start();
  await spawner.claimNext();
  await spawner.warmUp();
  expect(await hosts()).toEqual([
    {
      host: HOST,
      state: 'up',
      version: 'test',
      capacity: 60,
      running: 3,
      calls: 2,
      warm: 1,
      starting: 1,
      killsLeft: 0,
      load: null,
      memory: { freeBytes: null, isShort: false },
      startedAt: expect.stringMatching(/Z$/),
      lastSeenAt: expect.stringMatching(/Z$/),
      drain: null,
    },
  ]);
  await redis.command('ZADD', 'hosts', Date.now() - 16_000, HOST);
  expect(await hosts()).toMatchObject([{ state: 'unreachable' }]);
});

test('a drain is asked for, shown with the calls that are left, and taken back; starts hear that there is no host', async () => {
  await startCall();
  const { status, body } = await drain(HOST);
  expect([status, body]).toEqual([200, { success: true, host: HOST, draining: true, callsLeft: 1 }]);
  expect((await drain(HOST)).status).toBe(200);
  expect(await hosts()).toMatchObject([
    { state: 'draining', drain: { since: expect.stringMatching(/Z$/), callsLeft: 1 } },
  ]);
  expect((await api.post('/api/session/start', {})).body.code).toBe('no_host');
  // Whatever the host says of itself, the wish stands.
  await spawner.heartbeat();
  expect(await hosts()).toMatchObject([{ state: 'draining' }]);
  expect((await undrain(HOST)).body).toEqual({ success: true, host: HOST, draining: false, callsLeft: 1 });
  await spawner.heartbeat();
  expect(await hosts()).toMatchObject([{ state: 'up', drain: null }]);
  await api.start();
});

test('a silent host is declared lost: without another its call ends as host_lost; one that was just heard is not lost', async () => {
  const sessionId = await startCall();
  expect(await lost(HOST)).toMatchObject({ status: 409, body: { code: 'host_reachable' } });
  await redis.command('ZADD', 'hosts', Date.now() - 16_000, HOST);
  const { status, body } = await lost(HOST);
  expect([status, body]).toEqual([200, { success: true, host: HOST, moved: 0, ended: 1, dropped: 0 }]);
  expect(await hosts()).toMatchObject([{ state: 'lost', killsLeft: 1, calls: 0 }]);
  expect((await api.get(`/api/session/${sessionId}`)).body).toMatchObject({ endReason: 'host_lost' });
});

test('of a host that nobody knows it is a 404, and all of it is for admins only', async () => {
  for (const ask of [drain, undrain, lost]) {
    expect(await ask('nobody')).toMatchObject({ status: 404, body: { code: 'host_not_found' } });
  }
  expect((await api.get('/api/hosts')).status).toBe(401);
  expect((await api.post(`/api/hosts/${HOST}/drain`)).status).toBe(401);
  expect((await request(api.app).delete(`/api/hosts/${HOST}/drain`)).status).toBe(401);
  expect((await api.post(`/api/hosts/${HOST}/lost`)).status).toBe(401);
  expect(await hosts()).toMatchObject([{ state: 'up', drain: null }]);
});
