import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { openTestApi, type TestApi } from '../testing/test-api.js';

const ORIGIN = 'https://app.example';
let redis: TestRedis;
let api: TestApi | undefined;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
afterEach(() => api?.close());

async function open(origins: string): Promise<TestApi> {
  api = await openTestApi({ redis, env: { CORS_ORIGINS: origins } });
  return api;
}

const preflight = (which: TestApi, origin: string) =>
  request(which.app).options('/api/session/start').set({
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'idempotency-key',
  });

test('a page of a listed origin may ask with our headers and read ours', async () => {
  const listed = await open(`${ORIGIN},https://other.example`);
  const { status, headers } = await preflight(listed, ORIGIN);
  expect(status).toBe(204);
  expect(headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-headers': expect.stringMatching(
      /Authorization.*Content-Type.*Idempotency-Key.*Last-Event-ID/,
    ),
    'access-control-allow-methods': expect.stringContaining('POST'),
  });
  const answer = await listed.get('/api/session/x').set('Origin', ORIGIN);
  expect(answer.status).toBe(404);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-expose-headers': expect.stringMatching(/Retry-After.*X-Request-Id/),
    vary: expect.stringContaining('Origin'),
  });
});

test.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
  'a page of %s may not',
  async (origin) => {
    const listed = await open(ORIGIN);
    const asked = await preflight(listed, origin);
    expect(asked.status).toBe(204);
    expect(Object.keys(asked.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    const answer = await listed.get('/livez').set('Origin', origin);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  },
);

test('by default no page may, and with * any', async () => {
  const closed = await open('');
  expect((await preflight(closed, ORIGIN)).headers['access-control-allow-origin']).toBeUndefined();
  await closed.close();
  const wide = await open('*');
  expect((await preflight(wide, ORIGIN)).headers['access-control-allow-origin']).toBe('*');
});

test('an OPTIONS that is no preflight is told what the address takes', async () => {
  const { status, headers } = await request((await open('')).app).options('/api/session/start');
  expect([status, headers.allow]).toEqual([405, 'POST']);
});
