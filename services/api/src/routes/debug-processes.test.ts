import type { ProcessSurvey } from '@greenroom/contracts';
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

const survey = (session_id: string): ProcessSurvey => ({
  session_id,
  pid: 4242,
  pgid: 4242,
  is_group_leader: true,
  is_process_alive: true,
  is_group_alive: true,
  child_processes: [{ pid: 4242, ppid: 1, pgid: 4242, cmd: 'agent' }],
  session_data: { status: 'ready' },
  errors: [],
});

test('the owning spawner answers', async () => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  const stopAnswering = await api.schema.questions.answer(HOST, { processes: async (id) => survey(id) });
  const { status, body } = await api.adminGet(`/api/debug/session/${sessionId}/processes`);
  await stopAnswering();
  expect(status).toBe(200);
  expect(body).toEqual(survey(sessionId));
});

test('a session without a process yet has none', async () => {
  const { sessionId } = await api.start({ userName: 'Ada' });
  const { status, body } = await api.adminGet(`/api/debug/session/${sessionId}/processes`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    session_id: sessionId,
    pid: null,
    pgid: null,
    is_process_alive: false,
    child_processes: [],
    session_data: { status: 'starting', userName: 'Ada' },
    errors: [],
  });
});

test('a spawner that says nothing for 2 s is unreachable', async () => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  const startedAt = performance.now();
  const { status, headers, body } = await api.adminGet(`/api/debug/session/${sessionId}/processes`);
  expect([status, body.code]).toEqual([503, 'host_unreachable']);
  expect(headers['retry-after']).toBeDefined();
  expect(performance.now() - startedAt).toBeLessThan(2_500);
});

test('an unknown session is a 404', async () => {
  const { body } = await api.adminGet('/api/debug/session/session_aaaaaaaaaaaaaaaaaaaaaaaa/processes');
  expect(body.code).toBe('session_not_found');
});
