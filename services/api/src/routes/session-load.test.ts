import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

type Ref = Awaited<ReturnType<StandInSpawner['launchNext']>>;

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
});

async function call(): Promise<Ref> {
  await api.start();
  return spawner.launchNext();
}

/** A health check, 100 s after the one before. */
async function check(ref: Ref, cpu: number, rss: number, processes = 2): Promise<void> {
  const [field, key] = (await redis.command('EXISTS', `agent:${ref.sessionId}:health`))
    ? ['last_check', `agent:${ref.sessionId}:health`]
    : ['claimedAt', `session:${ref.sessionId}`];
  await redis.command('HINCRBY', key, field, -100_000);
  await checkAgain(ref, cpu, rss, processes);
}

function checkAgain(ref: Ref, cpu: number, rss: number, processes = 2) {
  const health = { status: 'alive', rss: `${rss}`, cpu: cpu.toFixed(2), processes: `${processes}` };
  return api.schema.sessions.renew(ref, 60_000, health);
}

async function end({ sessionId, generation }: Ref): Promise<void> {
  await api.schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
  await api.schema.sessions.finishEnd(sessionId, generation);
}

const load = async (id: string) => (await api.adminGet(`/api/session/${id}/load`)).body;

test('each health check is a sample, in order, and one that is taken again because its answer was lost is one', async () => {
  const ref = await call();
  expect(await load(ref.sessionId)).toEqual({ success: true, sessionId: ref.sessionId, samples: [] });
  await check(ref, 50, 1_000);
  await check(ref, 250, 3_000_000_000, 4);
  // However slow this machine is, no time has passed since.
  await redis.command('HINCRBY', `agent:${ref.sessionId}:health`, 'last_check', 5_000);
  await checkAgain(ref, 250.2, 3_000_000_000, 4);
  const { samples } = await load(ref.sessionId);
  expect(samples).toEqual([
    { at: expect.any(String), cpuPercent: expect.closeTo(50, -1), memoryBytes: 1_000, processes: 2 },
    { at: expect.any(String), cpuPercent: expect.closeTo(200, -1), memoryBytes: 3_000_000_000, processes: 4 },
  ]);
  expect(samples[0].at < samples[1].at).toBe(true);
  expect(Math.abs(Date.parse(samples[1].at) - Date.now())).toBeLessThan(5_000);
});

test('the last 720 are kept, live as long as the session, and for an hour after its end', async () => {
  const ref = await call();
  for (let i = 0; i < 725; i += 1) await check(ref, i, i);
  const { samples } = await load(ref.sessionId);
  expect(samples).toHaveLength(720);
  expect([samples[0].memoryBytes, samples[719].memoryBytes]).toEqual([5, 724]);
  expect(Number(await redis.command('PTTL', `agent:${ref.sessionId}:load`))).toBeGreaterThan(50_000);
  await end(ref);
  expect((await load(ref.sessionId)).samples).toEqual(samples);
  expect(await redis.command('EXISTS', `agent:${ref.sessionId}:load`)).toBe(0);
  const leftS = Number(await redis.command('TTL', `history:load:${ref.sessionId}`));
  expect(leftS).toBeGreaterThan(3_590);
  expect(leftS).toBeLessThanOrEqual(3_600);
});

test('another agent in the same call goes on with the list', async () => {
  const ref = await call();
  await check(ref, 5, 1_000);
  await api.schema.sessions.restart(ref, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
  await check(await spawner.launchNext(), 1, 2_000);
  expect((await load(ref.sessionId)).samples).toMatchObject([{ memoryBytes: 1_000 }, { memoryBytes: 2_000 }]);
});

test('of a warm agent that nobody got nothing is left', async () => {
  const id = await spawner.warmUp();
  const found = await api.schema.sessions.read(id);
  if (found.status !== 'live') throw new Error(found.status);
  const { generation, launch = '' } = found.session;
  const ref = { sessionId: id, generation, launch };
  await check(ref, 5, 1_000);
  expect((await load(id)).samples).toHaveLength(1);
  await end(ref);
  expect(await redis.command('KEYS', `*load*${id}*`)).toEqual([]);
  expect(await redis.command('KEYS', `*${id}*load*`)).toEqual([]);
});

test('only for admins, and not of nobody', async () => {
  const { sessionId } = await call();
  expect((await api.get(`/api/session/${sessionId}/load`)).status).toBe(401);
  expect((await load('session_aaaaaaaaaaaaaaaaaaaaaaaa')).code).toBe('session_not_found');
});
