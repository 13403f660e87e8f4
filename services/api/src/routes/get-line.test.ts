import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { MAX_SESSIONS: '1' } });
  await new StandInSpawner(api.schema).register(0);
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

test('GET /api/line says who waits, in their order, to admins only', async () => {
  await api.start();
  expect((await api.adminGet('/api/line')).body).toEqual({ success: true, waiting: 0, line: [] });
  const { sessionId } = await api.start();
  const { sessionId: other } = await api.start({ profile: 'other' });
  const { status, body } = await api.adminGet('/api/line');
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    waiting: 2,
    line: [
      { sessionId, position: 1, profile: 'default', userId: null, queuedAt: expect.stringMatching(/Z$/) },
      { sessionId: other, position: 2, profile: 'other', userId: null, queuedAt: expect.any(String) },
    ],
  });
  expect((await api.get('/api/line')).status).toBe(401);
});
