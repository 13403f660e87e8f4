import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  isAlive,
  readProcess,
  startLiveKit,
  startRedis,
  startStack,
  startTcpProxy,
  type TestLiveKit,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { joinCall, startCall } from '../../support/caller.js';
import { warmIds } from '../../support/pool.js';
import { startSecondSpawner } from '../../support/second-spawner.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForPool,
  waitForStatus,
} from '../../support/sessions.js';

/** Two heartbeats after the loss is noticed, which takes one at most. */
const RECOVERY_LIMIT_MS = 20_000;

jest.setTimeout(90_000);

let livekit: TestLiveKit;
let stack: TestStack;
beforeAll(async () => {
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());
beforeEach(async () => {
  stack = await startStack({
    agentCommand: agent('numbers-its-lines.sh'),
    livekit,
    redis: { persistent: true },
    env: {
      POOL_TARGET: '2',
      HEALTH_CHECK_INTERVAL: '1',
      STALE_SWEEP_INTERVAL: '1',
      RATE_LIMIT_PER_MINUTE: '0',
    },
  });
  await waitForPool(stack, 2, 20_000);
});
afterEach(() => stack.stop());

const start = (body: object = {}, of = stack) => of.request('POST', '/api/session/start', body);

async function processOf(sessionId: string) {
  const { agentPid } = await sessionOf(stack, sessionId);
  return { pid: agentPid, startTime: readProcess(agentPid)?.startTime, isAlive: isAlive(agentPid) };
}

/** Waits until starts are accepted again. */
async function waitForRecovery(of = stack): Promise<void> {
  await waitFor(
    async () => {
      const { success, dependencies } = await health(of);
      return success && dependencies.redis.detail === undefined;
    },
    { timeoutMs: RECOVERY_LIMIT_MS },
  );
}

async function endAll(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await endSession(stack, id);
    await waitForStatus(stack, id, 404);
    expect(await keysOf(stack, id)).toEqual([]);
  }
}

describe('FLUSHALL', () => {
  test('during calls: they go on, are known again, and can be ended; starts wait; nothing is taken for stale', async () => {
    const { sessionId: call, caller } = await startCall(stack, { userId: 'ann' });
    await waitForPool(stack, 2, 20_000);
    const warm = await warmIds(stack);
    const before = await processOf(call);

    const flushedAt = performance.now();
    await stack.redis.command('FLUSHALL');
    expect(await start()).toMatchObject({ status: 503, body: { code: 'recovering' } });
    const answers = new Set<number>();
    await waitFor(
      async () => {
        const { status, body } = await stack.request('GET', `/api/session/${call}`);
        answers.add(status);
        return status === 200 && body.status === 'ready';
      },
      { timeoutMs: RECOVERY_LIMIT_MS },
    );
    // A page that polls must never read that its call is over.
    expect([...answers]).not.toContain(404);
    await waitForRecovery();
    expect(performance.now() - flushedAt).toBeLessThan(RECOVERY_LIMIT_MS);

    expect(await processOf(call)).toEqual(before);
    expect(caller.hasStayed()).toBe(true);
    expect(await sessionOf(stack, call)).toMatchObject({ userId: 'ann', restarts: 0, generation: 2 });
    expect((await start({ userId: 'ann' })).body.sessionId).toBe(call);
    await waitForPool(stack, 2, 20_000);
    for (const id of warm) {
      expect(await waitForStatus(stack, id, 404, 10_000)).toMatchObject({ endReason: 'state_lost' });
    }
    const next = await startReady(stack);
    expect(warm).not.toContain(next);
    await caller.leave();
    await endAll([call, next]);
  });

  test('while warm agents are being assigned: whoever joined keeps its agent, no agent gets two callers', async () => {
    // The spawner has not heard of the callers yet when the data is lost.
    stack.spawner.pause();
    const [joins, stays] = await Promise.all([start(), start()]).then((all) => all.map(({ body }) => body));
    expect([joins, stays]).toMatchObject([{ prewarmed: true }, { prewarmed: true }]);
    expect(joins.sessionId).not.toBe(stays.sessionId);
    await stack.redis.command('FLUSHALL');
    stack.spawner.resume();
    const caller = await joinCall(stack, joins);

    await waitForStatus(stack, joins.sessionId, 'ready', RECOVERY_LIMIT_MS);
    expect(await waitForStatus(stack, stays.sessionId, 404, RECOVERY_LIMIT_MS)).toMatchObject({
      endReason: 'state_lost',
    });
    await waitForRecovery();
    await waitForPool(stack, 2, 20_000);
    expect(caller.hasStayed()).toBe(true);
    const live = (await stack.request('GET', '/api/sessions')).body.sessions as { agentPid: number }[];
    expect(new Set(live.map(({ agentPid }) => agentPid)).size).toBe(live.length);
    await caller.leave();
  });

  test('while the spawner is away: its calls are adopted and published, not ended', async () => {
    const { sessionId: call, caller } = await startCall(stack);
    const before = await processOf(call);
    await stack.spawner.kill();
    const other = await startSecondSpawner(stack);
    try {
      await stack.redis.command('FLUSHALL');
      // Without it: the recovery is over when our host is back.
      await waitForRecovery();
      await stack.startSpawner();
      await waitForStatus(stack, call, 'ready', 5000);
      // Long enough for sweeps, of which none may take it for stale.
      await sleep(2500);
      expect(await processOf(call)).toEqual(before);
      expect(caller.hasStayed()).toBe(true);
      await caller.leave();
      await endAll([call]);
    } finally {
      await other.stop();
    }
  });

  test('queued starts are lost, and their ids say so instead of waiting for ever', async () => {
    await stack.spawner.stop();
    await stack.startSpawner({ SHUTDOWN_MODE: 'handover', POOL_TARGET: '0' });
    await stack.redis.command('SADD', 'host:test-host:sessions', ...ghosts(60));
    const queued = await startSession(stack, { userName: 'lost' });
    await stack.redis.command('FLUSHALL');
    expect(await stack.request('GET', `/api/session/${queued}`)).toMatchObject({ status: 503 });
    await waitForRecovery();
    expect((await stack.request('GET', `/api/session/${queued}`)).body.code).toBe('session_not_found');
    await waitFor(async () => (await health(stack)).capacity.current === 0);
  });
});

test('Redis restarted with its data: calls go on, warm agents are replaced', async () => {
  const { sessionId: call, caller } = await startCall(stack);
  await waitForPool(stack, 2, 20_000);
  const warm = await warmIds(stack);
  const before = await processOf(call);
  await stack.redis.kill();
  await stack.redis.restart();
  await waitForRecovery();
  await waitForPool(stack, 2, 20_000);
  expect(await processOf(call)).toEqual(before);
  expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready', restarts: 0 });
  for (const id of warm) await waitForStatus(stack, id, 404, 10_000);
  expect(caller.hasStayed()).toBe(true);
  await caller.leave();
  await endAll([call]);
});

test('a replica is promoted that lacks the last writes: what the host knows wins, what it ended stays ended', async () => {
  const replica = await startRedis();
  const target = { host: '127.0.0.1', port: stack.redis.port };
  const proxy = await startTcpProxy(target);
  const failing = await startStack({
    agentCommand: agent('numbers-its-lines.sh'),
    livekit,
    redis: { ...stack.redis, url: `redis://127.0.0.1:${proxy.port}` },
    env: { POOL_TARGET: '2', STALE_SWEEP_INTERVAL: '1', REDIS_KEY_PREFIX: 'other:', HOST_ID: 'other-host' },
  });
  const view = async (id: string) => {
    const { status, agentPid, restarts } = await sessionOf(failing, id);
    return { status, agentPid, restarts };
  };
  try {
    await replica.command('REPLICAOF', '127.0.0.1', stack.redis.port);
    const before = await startCall(failing);
    const ended = await startReady(failing);
    const { agentPid: endedPid } = await sessionOf(failing, ended);
    await waitFor(async () => (await replica.command('EXISTS', `other:session:${ended}`)) === 1);
    // From here on nothing reaches the replica.
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const warm = await startCall(failing, { userId: 'ann' });
    await endSession(failing, ended);
    await waitForStatus(failing, ended, 404);
    const cold = await Promise.all([startReady(failing), startReady(failing), startReady(failing)]);
    const calls = [before.sessionId, warm.sessionId, ...cold];
    const known = await Promise.all(calls.map(view));

    target.port = replica.port;
    proxy.drop();
    proxy.release();
    await waitForRecovery(failing);
    for (const id of calls) await waitForStatus(failing, id, 'ready', RECOVERY_LIMIT_MS);
    expect(await Promise.all(calls.map(view))).toEqual(known);
    expect((await start({ userId: 'ann' }, failing)).body.sessionId).toBe(warm.sessionId);
    await waitForStatus(failing, ended, 404, RECOVERY_LIMIT_MS);
    expect(isAlive(endedPid)).toBe(false);
    expect([before, warm].every(({ caller }) => caller.hasStayed())).toBe(true);
    await before.caller.leave();
    await warm.caller.leave();
  } finally {
    await failing.stop();
    await proxy.stop();
    await replica.stop();
  }
});

test('a limit is kept by a spawner that starts while Redis is away', async () => {
  const call = await startReady(stack);
  const { agentPid, roomName } = await sessionOf(stack, call);
  const deadlineAt = Date.now() + 6000;
  await stack.redis.command('HSET', `session:${call}`, 'deadlineAt', deadlineAt);
  // A health check hears of it, and writes it down.
  await sleep(2200);
  await stack.spawner.kill();
  await stack.redis.kill();
  const env = { HOST_ID: 'test-host', STATE_DIR: stack.stateDir, SHUTDOWN_MODE: 'handover' };
  const spawner = await startSecondSpawner(stack, env, { line: /spawner listening/ });
  try {
    expect(isAlive(agentPid)).toBe(true);
    await waitFor(() => !isAlive(agentPid), { timeoutMs: 9000 });
    expect(Date.now()).toBeGreaterThanOrEqual(deadlineAt);
    expect(Date.now()).toBeLessThan(deadlineAt + 3500);
    await waitFor(async () => (await livekit.rooms.listRooms([roomName])).length === 0);
    await stack.redis.restart();
    await waitForStatus(stack, call, 404, RECOVERY_LIMIT_MS);
  } finally {
    await spawner.stop();
    await stack.startSpawner();
  }
});

function ghosts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `session_${String(i).padStart(24, 'x')}`);
}
