import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  startLiveKit,
  startStack,
  type StackOptions,
  type TestLiveKit,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { leaveCalls, startCall } from '../support/caller.js';
import { liveSessions } from '../support/counts.js';
import { resize } from '../support/pool.js';
import { startSecondSpawner } from '../support/second-spawner.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startReady,
  waitForPool,
  waitForStatus,
} from '../support/sessions.js';

/** Built by `npm run test:versions`. */
const EARLIER = process.env['GREENROOM_EARLIER_BUILD'] ?? '';
const THIS = fileURLToPath(new URL('../../', import.meta.url));
const ROUND_TRIP_MS = 60_000;
/** SESSION_TIMEOUT as it is by default. */
const SESSION_TIMEOUT_MS = 4 * 60 * 60 * 1000;

let livekit: TestLiveKit;
beforeAll(async () => {
  if (EARLIER === '') throw new Error('Run this with npm run test:versions: it builds the earlier version.');
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());
afterEach(leaveCalls);

function start(options: StackOptions): Promise<TestStack> {
  return startStack({ livekit, agentCommand: agent('ready-then-waits.sh'), ...options });
}

async function end(stack: TestStack, sessionId: string): Promise<void> {
  expect((await endSession(stack, sessionId)).status).toBe(202);
  expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason: 'admin_ended' });
}

async function endAndForget(stack: TestStack, sessionId: string): Promise<void> {
  await end(stack, sessionId);
  expect(await keysOf(stack, sessionId)).toEqual([]);
}

/** Every call and agent is gone, and the counts say so too. */
async function expectNothingLeft(stack: TestStack): Promise<void> {
  await waitFor(async () => stack.agentProcesses().length === 0 && (await liveSessions(stack)).length === 0);
  expect((await health(stack)).sessions).toMatchObject({ ready: 0, starting: 0, pool: 0, warming: 0 });
  expect((await health(stack)).capacity.current).toBe(0);
}

describe.each([
  ['the earlier api and this spawner', { api: EARLIER, spawner: THIS }],
  ['this api and the earlier spawner', { api: THIS, spawner: EARLIER }],
])('%s', (_, builds) => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await start({ builds, env: { POOL_TARGET: '1' } });
  });
  afterAll(() => stack.stop());

  test('a warm start, polled and ended; the pool is filled again', async () => {
    await waitForPool(stack, 1);
    const started = await stack.request('POST', '/api/session/start', { userName: 'Ada' });
    expect([started.status, started.body.prewarmed]).toEqual([200, true]);
    expect(await sessionOf(stack, started.body.sessionId)).toMatchObject({
      status: 'ready',
      userName: 'Ada',
    });
    await waitForPool(stack, 1);
    await endAndForget(stack, started.body.sessionId);
  });

  test('the pool is resized, a cold start is polled and ended, and nothing is left', async () => {
    expect(await resize(stack, 0)).toMatchObject({ target: 0 });
    await waitForPool(stack, 0);
    const started = await stack.request('POST', '/api/session/start', {});
    expect([started.status, started.body.prewarmed]).toEqual([202, false]);
    await waitForStatus(stack, started.body.sessionId, 'ready');
    const { body } = await stack.request('GET', '/api/sessions');
    expect(body.sessions.map((it: { sessionId: string }) => it.sessionId)).toEqual([started.body.sessionId]);
    const processes = await stack.request('GET', `/api/debug/session/${started.body.sessionId}/processes`);
    expect(processes.body).toMatchObject({ is_process_alive: true, errors: [] });
    await endAndForget(stack, started.body.sessionId);
    await expectNothingLeft(stack);
  });

  test('an agent that crashes during a call, and one that an admin replaces, are started again', async () => {
    const { sessionId } = await startCall(stack);
    const crashed = await sessionOf(stack, sessionId);
    process.kill(crashed.agentPid, 'SIGKILL');
    await waitFor(async () => (await sessionOf(stack, sessionId)).generation === crashed.generation + 1);
    await waitForStatus(stack, sessionId, 'ready');
    expect((await stack.request('POST', `/api/session/${sessionId}/restart`)).status).toBe(202);
    await waitFor(async () => (await sessionOf(stack, sessionId)).generation === crashed.generation + 2);
    await waitForStatus(stack, sessionId, 'ready');
    await endAndForget(stack, sessionId);
    await expectNothingLeft(stack);
  });

  test(
    'a loss of all data in the middle of a call does not end it',
    async () => {
      const { sessionId } = await startCall(stack);
      const { agentPid } = await sessionOf(stack, sessionId);
      await stack.redis.command('FLUSHALL');
      await waitFor(async () => (await sessionOf(stack, sessionId)).status === 'ready', {
        timeoutMs: 25_000,
      });
      await waitFor(async () => (await startable(stack)) !== 503, { timeoutMs: 25_000 });
      expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', agentPid });
      expect(isAlive(agentPid)).toBe(true);
      await endAndForget(stack, sessionId);
    },
    ROUND_TRIP_MS,
  );
});

/** What a start answers, by one that is ended at once. */
async function startable(stack: TestStack): Promise<number> {
  const { status, body } = await stack.request('POST', '/api/session/start', {});
  if (status < 300) await endAndForget(stack, body.sessionId);
  return status;
}

describe.each([
  ['an upgrade', EARLIER, THIS],
  ['a step back', THIS, EARLIER],
])('%s of a spawner in place', (_, before, after) => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'by %s: the successor adopts its calls, its warm agents and what was starting',
    async (signal) => {
      const stack = await start({
        builds: { api: after, spawner: before },
        agentCommand: agent('ready-after-two-seconds.sh'),
        env: { POOL_TARGET: '1', SHUTDOWN_MODE: 'handover' },
      });
      try {
        await waitForPool(stack, 1);
        const call = await startReady(stack);
        await waitForPool(stack, 1);
        const { agentPid } = await sessionOf(stack, call);
        const [warm = ''] = (await stack.redis.command('SMEMBERS', 'pool:ready')) as string[];
        await resize(stack, 2);
        await waitFor(async () => (await health(stack)).sessions.warming === 1);
        await waitFor(() => stack.agentProcesses().length >= 5);
        stack.spawner.signal(signal);
        await stack.spawner.exited;
        await stack.startSpawner({ SHUTDOWN_MODE: 'drain' }, after);
        expect(await waitForStatus(stack, call, 'ready')).toMatchObject({ agentPid });
        await waitForPool(stack, 2);
        const next = await stack.request('POST', '/api/session/start', {});
        expect([next.status, next.body.sessionId]).toEqual([200, warm]);
        await resize(stack, 0);
        await Promise.all([call, warm].map((id) => end(stack, id)));
        await waitForPool(stack, 0);
        await expectNothingLeft(stack);
        if (after === EARLIER) await expectToExpire(stack, 'agent:*:log-times');
        for (const id of [call, warm]) expect(await keysOf(stack, id)).toEqual([]);
      } finally {
        await stack.stop();
      }
    },
    ROUND_TRIP_MS,
  );
});

/** An earlier version does not delete what it does not know: that goes by itself, when the session would have been over. */
async function expectToExpire({ redis }: TestStack, pattern: string): Promise<void> {
  const keys = (await redis.command('KEYS', pattern)) as string[];
  const ttlsMs = await Promise.all(keys.map(async (key) => Number(await redis.command('PTTL', key))));
  for (const key of keys) await redis.command('DEL', key);
  expect(Math.min(...ttlsMs)).toBeGreaterThan(0);
  expect(Math.max(...ttlsMs)).toBeLessThanOrEqual(SESSION_TIMEOUT_MS);
}

test(
  'spawners of both versions on one Redis, and an api of each: one is killed, and its calls are taken over by the other version',
  async () => {
    const stack = await start({ builds: { api: THIS, spawner: EARLIER }, env: { HOST_CAPACITY: '4' } });
    const startFour = () => Promise.all(Array.from({ length: 4 }, () => startReady(stack)));
    const ids = await startFour();
    const second = await startSecondSpawner(stack, { HOST_CAPACITY: '8' }, undefined, THIS);
    try {
      ids.push(...(await startFour()));
      const hosts = await Promise.all(ids.map(async (id) => (await sessionOf(stack, id)).host));
      expect(hosts).toEqual([...Array(4).fill('test-host'), ...Array(4).fill('second-host')]);
      stack.spawner.signal('SIGKILL');
      await stack.spawner.exited;
      // Meanwhile the other one works, and the calls of the dead one are left alone.
      const more = await startReady(stack);
      expect((await sessionOf(stack, more)).host).toBe('second-host');
      await stack.startSpawner({}, THIS);
      for (const id of ids) expect(await sessionOf(stack, id)).toMatchObject({ status: 'ready' });
      await stack.api.stop();
      await stack.startApi({}, EARLIER);
      await Promise.all([...ids, more].map((id) => endAndForget(stack, id)));
      await expectNothingLeft(stack);
    } finally {
      await second.stop();
      await stack.stop();
    }
  },
  ROUND_TRIP_MS,
);
