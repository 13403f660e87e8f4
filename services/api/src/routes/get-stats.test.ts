import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { MAX_SESSIONS: '7' } });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

test('GET /api/stats has what happened, interval by interval and in all', async () => {
  const spawner = new StandInSpawner(api.schema);
  await spawner.register();
  const empty = (await api.adminGet('/api/stats?window=day')).body;
  expect(empty.totals).toEqual({
    starts: 0,
    warmStarts: 0,
    failed: 0,
    ended: 0,
    errors: 0,
    startMs: null,
    hitRate: null,
    endReasons: {},
  });
  await spawner.warmUp();
  const { sessionId } = await api.start();
  await api.start();
  await spawner.launchNext();
  await api.adminPost('/api/session/end', { sessionId });
  await api.schema.sessions.finishEnd(sessionId, 1);
  for (const [window, count, stepMs] of [
    ['hour', 60, 60_000],
    ['day', 96, 900_000],
  ]) {
    const { status, body } = await api.adminGet(`/api/stats?window=${window}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, window, stepMs, from: body.points[0].at });
    expect(body.points).toHaveLength(Number(count));
    expect(body.totals).toEqual({
      starts: 2,
      warmStarts: 1,
      failed: 0,
      ended: 1,
      errors: 0,
      hitRate: 0.5,
      startMs: { p50: 0, p95: expect.any(Number), p99: expect.any(Number) },
      endReasons: { admin_ended: 1 },
    });
    expect(body.points[0]).toEqual({
      at: body.from,
      starts: 0,
      warmStarts: 0,
      failed: 0,
      ended: 0,
      errors: 0,
      startMs: null,
      callers: null,
      capacity: null,
    });
    const busy = body.points.filter(({ starts }: { starts: number }) => starts > 0).at(-1);
    expect(busy).toMatchObject({ callers: 2, capacity: 7 });
  }
  expect((await api.adminGet('/api/stats')).body.window).toBe('hour');
  expect((await api.adminGet('/api/stats?window=week')).status).toBe(400);
  expect((await api.get('/api/stats')).status).toBe(401);
});
