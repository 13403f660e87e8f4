import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, startTcpProxy, type TcpProxy, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let proxy: TcpProxy;
let api: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port });
  const behindProxy = { ...redis, url: `redis://127.0.0.1:${proxy.port}` };
  api = await openTestApi({ redis: behindProxy, env: { MAX_SESSIONS: '1' } });
  await new StandInSpawner(api.schema).register();
  api.lineWatch.open();
});
afterAll(async () => {
  await api.close();
  await proxy.stop();
  await redis.stop();
});

const asked = async (id: string) => Number(await redis.command('ZSCORE', 'line:asked', id));

test('who asked while Redis was away has asked: its time in line begins anew as soon as the api can say so', async () => {
  await api.start();
  const { sessionId } = await api.start();
  const longAgo = Date.now() - 25_000;
  await redis.command('ZADD', 'line:asked', longAgo, sessionId);
  // Whoever does not ask is not taken for one who did: the api looks, and time goes on.
  await sleep(2_500);
  expect(await asked(sessionId)).toBe(longAgo);

  proxy.drop();
  expect((await api.get(`/api/session/${sessionId}`)).status).toBe(503);
  proxy.release();
  await waitFor(async () => (await asked(sessionId)) > longAgo, { timeoutMs: 3_000 });
});

test('a question that was refused for another reason says nothing of the line', async () => {
  const { sessionId } = await api.start();
  const longAgo = Date.now() - 25_000;
  await redis.command('ZADD', 'line:asked', longAgo, sessionId);
  expect((await api.get('/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa')).status).toBe(404);
  await sleep(2_500);
  expect(await asked(sessionId)).toBe(longAgo);
});

test('of apis with different MAX_SESSIONS that of the one started last holds, and the other says so', async () => {
  await redis.command('FLUSHALL');
  await new StandInSpawner(api.schema).register();
  for (let callers = 0; callers < 3; callers += 1) await api.start();
  const younger = await openTestApi({ redis, env: { MAX_SESSIONS: '2' } });
  younger.lineWatch.open();
  await waitFor(() => api.lineWatch.maxSessions === 2, { timeoutMs: 10_000 });
  await sleep(2_500);
  expect([api.lineWatch.maxSessions, younger.lineWatch.maxSessions]).toEqual([2, 2]);
  expect(await redis.command('HGET', 'line:state', 'maxSessions')).toBe('2');
  expect((await api.get('/api/health')).body.capacity.max).toBe(2);
  expect(api.log().match(/apis differ in MAX_SESSIONS/g)).toHaveLength(1);
  expect(younger.log()).not.toMatch(/apis differ/);
  const { text } = await api.get('/metrics');
  const shown = (name: string) => Number(new RegExp(`^greenroom_${name}\\{.*\\} (.+)$`, 'm').exec(text)?.[1]);
  expect(shown('max_sessions')).toBe(2);
  expect(shown('line_length')).toBe(1);
  expect(shown('line_served')).toBe(1);
  expect(shown('line_waited_seconds')).toBeGreaterThan(0);
  expect(shown('line_expected_wait_seconds')).toBeGreaterThan(0);
});

test('what an api says holds for its very first start, before it has looked at the line', async () => {
  await redis.command('FLUSHALL');
  const older = await openTestApi({ redis, env: { MAX_SESSIONS: '9' } });
  await new StandInSpawner(older.schema).register();
  older.lineWatch.open();
  await waitFor(async () => (await redis.command('HGET', 'line:state', 'maxSessions')) === '9');
  await older.start();
  const younger = await openTestApi({ redis, env: { MAX_SESSIONS: '1', QUEUE_MAX: '0' } });
  expect((await younger.post('/api/session/start', {})).body.code).toBe('at_capacity');
  // Nor does the older one grant more from then on.
  expect((await older.post('/api/session/start', {})).body.status).toBe('queued');
});
