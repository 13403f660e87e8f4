import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ADMIN_TOKEN, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

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

test('the holder of an id sees the session from starting to ready, and nothing of the host', async () => {
  const { sessionId } = await api.start({
    userId: 'u1',
    userName: 'Ada',
    voiceId: 'awb',
    metadata: { plan: 'x' },
  });
  const starting = await api.get(`/api/session/${sessionId}`);
  expect(starting.status).toBe(200);
  expect(starting.body).toEqual({
    success: true,
    sessionId,
    status: 'starting',
    userId: 'u1',
    userName: 'Ada',
    voiceId: 'awb',
    profile: 'default',
    prewarmed: false,
    roomName: `greenroom-${sessionId}`,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    readyAt: null,
    startupTime: null,
    restarts: 0,
  });
  await spawner.launchNext();
  const ready = await api.get(`/api/session/${sessionId}`);
  expect(ready.body).toMatchObject({ status: 'ready', startupTime: 1234, readyAt: expect.any(String) });
});

test('an admin sees where it runs', async () => {
  const { sessionId } = await api.start({ metadata: { plan: 'x' } });
  await spawner.launchNext();
  const { body } = await api.adminGet(`/api/session/${sessionId}`);
  expect(body).toMatchObject({
    host: 'host-a',
    agentPid: 4242,
    agentPgid: 4242,
    generation: 1,
    logFile: '/var/log/agent.log',
    attempts: 0,
    metadata: { plan: 'x' },
    deadlineAt: expect.any(String),
  });
});

test('a warm agent that belongs to nobody is there for admins only', async () => {
  const id = await spawner.warmUp();
  expect((await api.get(`/api/session/${id}`)).body.code).toBe('session_not_found');
  const { body } = await api.adminGet(`/api/session/${id}`);
  expect(body).toMatchObject({ sessionId: id, status: 'pooled', userId: null });
});

test('a start that failed for good shows why, with the last lines for admins', async () => {
  const { sessionId } = await api.start();
  const ref = await spawner.claimNext();
  await api.schema.sessions.failLaunch(ref, {
    error: 'The agent exited with code 3 before it was ready.',
    lastLines: ['Traceback', 'ImportError'],
    maxAttempts: 1,
    backoffMs: 1,
    holdoffBaseMs: 1,
    holdoffMaxMs: 1,
  });
  const seen = await api.get(`/api/session/${sessionId}`);
  expect(seen.body).toMatchObject({
    status: 'error',
    error: 'The agent exited with code 3 before it was ready.',
  });
  expect(seen.body.lastLines).toBeUndefined();
  const { body } = await api.adminGet(`/api/session/${sessionId}`);
  expect(body.lastLines).toEqual(['Traceback', 'ImportError']);
});

test('an ended one is a 404 that says when and why', async () => {
  const { sessionId } = await api.start();
  await api.post('/api/session/end', { sessionId });
  const { status, headers, body } = await api.get(`/api/session/${sessionId}`);
  expect(status).toBe(404);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(body).toMatchObject({
    code: 'session_ended',
    type: 'urn:greenroom:error:session_ended',
    success: false,
    endReason: 'caller_ended',
    endedAt: expect.stringMatching(/Z$/),
    durationMs: expect.any(Number),
  });
});

test('an id that never was is a 404, and a wrong bearer token changes nothing for a holder', async () => {
  const unknown = await api.get('/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa');
  expect([unknown.status, unknown.body.code]).toEqual([404, 'session_not_found']);
  const { sessionId } = await api.start();
  const seen = await api.get(`/api/session/${sessionId}`).set('Authorization', `Bearer x${ADMIN_TOKEN}`);
  expect(seen.status).toBe(200);
  expect(seen.body.generation).toBeUndefined();
});
