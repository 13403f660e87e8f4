import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
const ID = 'session_aaaaaaaaaaaaaaaaaaaaaaaa';

beforeAll(async () => {
  redis = await startRedis();
  // With the limiter on: it is the first to ask Redis.
  api = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '1000' } });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

const ENDPOINTS: [string, () => ReturnType<TestApi['get']>][] = [
  ['POST /api/session/start', () => api.post('/api/session/start', {})],
  ['POST /api/session/start as admin', () => api.adminPost('/api/session/start', {})],
  ['GET /api/session/:id', () => api.get(`/api/session/${ID}`)],
  ['POST /api/session/end', () => api.post('/api/session/end', { sessionId: ID })],
  ['POST /api/token', () => api.post('/api/token', { sessionId: ID })],
  ['GET /api/sessions', () => api.adminGet('/api/sessions')],
  ['GET /api/session/:id/logs', () => api.adminGet(`/api/session/${ID}/logs`)],
  ['GET /api/session/:id/logs?follow=1', () => api.adminGet(`/api/session/${ID}/logs?follow=1`)],
  ['GET /api/session/:id/events', () => api.get(`/api/session/${ID}/events`)],
  ['GET /api/sessions/events', () => api.adminGet('/api/sessions/events')],
  ['GET /api/pool', () => api.adminGet('/api/pool')],
  ['POST /api/pool/resize', () => api.adminPost('/api/pool/resize', { size: 1 })],
  ['GET /api/profiles', () => api.get('/api/profiles')],
  ['GET /api/debug/session/:id/processes', () => api.adminGet(`/api/debug/session/${ID}/processes`)],
];

async function expectUnavailable(ask: () => ReturnType<TestApi['get']>): Promise<void> {
  const startedAt = performance.now();
  const { status, headers, body } = await ask();
  const tookMs = performance.now() - startedAt;
  expect([status, body.code]).toEqual([503, 'redis_unavailable']);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(JSON.stringify(body)).not.toMatch(/ECONN|ioredis|at .*:\d+/);
  expect(tookMs).toBeLessThan(1_000);
}

async function expectUnhealthy(): Promise<void> {
  const startedAt = performance.now();
  const health = await api.get('/api/health');
  expect([health.status, health.body.status, health.body.success]).toEqual([503, 'unhealthy', false]);
  expect(health.headers['retry-after']).toBeDefined();
  expect((await api.get('/readyz')).status).toBe(503);
  expect((await api.get('/livez')).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(2_200);
}

async function expectRecovery(): Promise<void> {
  await waitFor(async () => (await api.get('/readyz')).status === 200, { timeoutMs: 5_000 });
  await new StandInSpawner(api.schema).register();
  expect((await api.post('/api/session/start', {})).status).toBe(202);
}

describe('Redis hangs', () => {
  beforeAll(() => redis.pause());
  afterAll(async () => {
    redis.resume();
    await expectRecovery();
  });

  test.each(ENDPOINTS)('%s answers 503 within a second', (_name, ask) => expectUnavailable(ask));
  test('health says unhealthy, readyz no, livez yes', expectUnhealthy);
  test('ten requests at once wait no longer than one', async () => {
    await Promise.all(
      Array.from({ length: 10 }, () => expectUnavailable(() => api.get(`/api/session/${ID}`))),
    );
  });
});

describe('Redis is down', () => {
  beforeAll(() => redis.kill());
  afterAll(async () => {
    await redis.restart();
    // An empty server knows none of our scripts, the limiter's included.
    await expectRecovery();
  });

  test.each(ENDPOINTS)('%s answers 503 at once', (_name, ask) => expectUnavailable(ask));
  test('health says unhealthy, readyz no, livez yes', expectUnhealthy);
});

describe('Redis was down when the api started', () => {
  let late: TestApi | undefined;
  afterEach(() => late?.close());

  test('the api serves as soon as it is there', async () => {
    await redis.kill();
    late = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '1000' }, isConnected: false });
    expect((await late.post('/api/session/start', {})).status).toBe(503);
    await redis.restart();
    await waitFor(async () => (await late?.get('/readyz'))?.status === 200);
    await new StandInSpawner(late.schema).register();
    expect((await late.post('/api/session/start', {})).status).toBe(202);
  });
});
