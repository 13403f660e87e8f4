import { startLiveKit, startRedis, type TestLiveKit, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let livekit: TestLiveKit;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  [redis, livekit] = await Promise.all([startRedis(), startLiveKit()]);
  api = await openTestApi({ redis, livekit, env: { MAX_SESSIONS: '5' } });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await api.close();
  await Promise.all([redis.stop(), livekit.stop()]);
});
beforeEach(() => redis.command('FLUSHALL'));

async function timed<T>(ask: () => PromiseLike<T>): Promise<{ answer: T; tookMs: number }> {
  const startedAt = performance.now();
  return { answer: await ask(), tookMs: performance.now() - startedAt };
}

test.each(['/api/health', '/health'])('%s counts callers and warm agents apart', async (path) => {
  await spawner.register();
  await spawner.warmUp();
  await spawner.warmUp();
  await api.start();
  await api.start();
  await waitFor(async () => (await api.get(path)).body.status === 'healthy');
  const { status, body } = await api.get(path);
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    status: 'healthy',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    sessions: { ready: 2, starting: 0, pool: 0, warming: 0, queued: 0 },
    stats: expect.objectContaining({ totalAssigned: 2, totalSpawned: expect.any(Number) }),
    capacity: { current: 2, max: 5, available: 3 },
    dependencies: {
      redis: { status: 'up', latencyMs: expect.any(Number) },
      livekit: { status: 'up', latencyMs: expect.any(Number) },
      spawners: { status: 'up', count: 1 },
    },
  });
});

test('without a spawner it is degraded, and says so', async () => {
  const { status, body } = await api.get('/api/health');
  expect([status, body.status]).toEqual([200, 'degraded']);
  expect(body.dependencies.spawners).toMatchObject({ status: 'down', count: 0 });
});

test('a LiveKit that is away or hangs makes it degraded, never slow', async () => {
  await spawner.register();
  const away = await openTestApi({ redis });
  livekit.pause();
  const hanging = await openTestApi({ redis, livekit });
  try {
    for (const which of [away, hanging]) {
      const { answer, tookMs } = await timed(() => which.get('/api/health'));
      expect([answer.status, answer.body.status, answer.body.dependencies.livekit.status]).toEqual([
        200,
        'degraded',
        'down',
      ]);
      expect(tookMs).toBeLessThan(150);
    }
  } finally {
    livekit.resume();
    await Promise.all([away.close(), hanging.close()]);
  }
});

test('one wrong key is told from a LiveKit that is away', async () => {
  const stranger = await openTestApi({ redis, livekit, env: { LIVEKIT_API_SECRET: 'x'.repeat(40) } });
  await waitFor(async () => {
    const { body } = await stranger.get('/api/health');
    return body.dependencies.livekit.detail === 'LiveKit refuses our key';
  });
  await stranger.close();
});
