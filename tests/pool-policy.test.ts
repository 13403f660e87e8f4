import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { poolOf, resize, warmIds } from './support/pool.js';
import { endSession, health, sessionOf, startReady, waitForPool, waitForStatus } from './support/sessions.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { POOL_TARGET: '2', AGENT_ENV: 'AGENT_VERSION', AGENT_VERSION: '1' },
  });
});
afterAll(() => stack.stop());

async function setPolicy(policy: object) {
  const { status, body } = await stack.request('PUT', '/api/pool/policy', { policy });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

function signalSpawner(signal: 'SIGSTOP' | 'SIGCONT'): void {
  process.kill(stack.spawner.pid, signal);
}

describe('a policy that is set while calls go on', () => {
  test('a buffer follows the calls up and down, by idle agents only', async () => {
    await setPolicy({ kind: 'buffer', size: '100%', min: 1, max: 3 });
    await waitForPool(stack, 1);
    const calls = [await startReady(stack), await startReady(stack), await startReady(stack)];
    await waitForPool(stack, 3);
    await Promise.all(calls.slice(1).map((id) => endSession(stack, id)));
    await waitForPool(stack, 1);
    expect(await sessionOf(stack, calls[0] ?? '')).toMatchObject({ status: 'ready' });
    await endSession(stack, calls[0] ?? '');
    await waitForStatus(stack, calls[0] ?? '', 404);
  });

  test('a schedule changes the size at the second that it names, whoever is there', async () => {
    await setPolicy({
      kind: 'schedule',
      base: 1,
      entries: [{ cron: '*/6 * * * * *', size: 3, forSeconds: 3 }],
    });
    for (const size of [3, 1]) {
      await waitFor(async () => (await poolOf(stack)).target === size, { timeoutMs: 7000 });
    }
    await waitForPool(stack, 3, 7000);
    await waitForPool(stack, 1, 7000);
  });

  test('a rate grows with the first callers, and shrinks when nobody comes any more, without being asked', async () => {
    await setPolicy({ kind: 'rate', safety: 0, min: 1, max: 4, windowSeconds: 3 });
    const calls: string[] = [];
    const startedAt = performance.now();
    let target = 1;
    while (target < 2 && performance.now() - startedAt < 10_000) {
      calls.push(await startReady(stack));
      target = (await poolOf(stack)).target;
    }
    // Asked once more it might have fallen again: it remembers callers for less than a second.
    expect(target).toBeGreaterThanOrEqual(2);
    await waitFor(async () => (await poolOf(stack)).target === 1, { timeoutMs: 20_000 });
    await waitForPool(stack, 1);
    await Promise.all(calls.map((id) => endSession(stack, id)));
    await Promise.all(calls.map((id) => waitForStatus(stack, id, 404)));
  });
});

test('after a change of the profile warm agents are replaced one by one, and the pool never falls below its target', async () => {
  await resize(stack, 3);
  await waitForPool(stack, 3);
  const old = await warmIds(stack);
  const call = await startReady(stack);
  const { agentPid } = await sessionOf(stack, call);
  await waitForPool(stack, 3);
  await stack.spawner.kill();
  const before = await warmIds(stack);
  await stack.startSpawner({ AGENT_VERSION: '2' });
  let smallest = 3;
  await waitFor(
    async () => {
      const now = await warmIds(stack);
      smallest = Math.min(smallest, now.length);
      expect(now.length).toBeLessThanOrEqual(3);
      return now.length === 3 && now.every((id) => !before.includes(id));
    },
    { timeoutMs: 15_000 },
  );
  expect(smallest).toBe(3);
  expect(before.some((id) => old.includes(id))).toBe(true);
  for (const id of before)
    expect(await waitForStatus(stack, id, 404)).toMatchObject({ endReason: 'warm_agent_retired' });
  expect(isAlive(agentPid)).toBe(true);
  await endSession(stack, call);
  await waitForStatus(stack, call, 404);
});

describe('a warm agent that dies at its hand-over', () => {
  async function warmOne() {
    await resize(stack, 1);
    await waitForPool(stack, 1);
    const [id = ''] = await warmIds(stack);
    return { id, ...(await sessionOf(stack, id)) };
  }

  async function start() {
    const { status, body } = await stack.request('POST', '/api/session/start', {});
    expect(status).toBe(200);
    return body;
  }

  async function expectAnotherAgent(
    warm: Awaited<ReturnType<typeof warmOne>>,
    startedAt: number,
  ): Promise<void> {
    const session = await waitForStatus(stack, warm.id, 'ready', 6000);
    await waitFor(async () => (await sessionOf(stack, warm.id)).generation === 2, { timeoutMs: 6000 });
    const { agentPid, roomName, restarts } = await waitForStatus(stack, warm.id, 'ready', 6000);
    expect(agentPid).not.toBe(warm.agentPid);
    expect(isAlive(agentPid)).toBe(true);
    expect({ roomName, restarts }).toEqual({ roomName: session.roomName, restarts: 1 });
    // What the caller waits: one stop, one start.
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await endSession(stack, warm.id);
    await waitForStatus(stack, warm.id, 404);
  }

  test('just after the step: the caller gets another one in the same room', async () => {
    const warm = await warmOne();
    expect(await start()).toMatchObject({ sessionId: warm.id, status: 'ready', roomName: warm.roomName });
    process.kill(warm.agentPid, 'SIGKILL');
    await expectAnotherAgent(warm, performance.now());
  });

  test('just before the step, when only the kernel knows: the same', async () => {
    const warm = await warmOne();
    signalSpawner('SIGSTOP');
    try {
      process.kill(warm.agentPid, 'SIGKILL');
      expect(await start()).toMatchObject({ sessionId: warm.id, status: 'ready', roomName: warm.roomName });
      await sleep(300);
    } finally {
      signalSpawner('SIGCONT');
    }
    await expectAnotherAgent(warm, performance.now());
  });

  test('one that leaves with 0 while its caller is on the way: the same', async () => {
    const warm = await warmOne();
    signalSpawner('SIGSTOP');
    try {
      process.kill(warm.agentPid, 'SIGTERM');
      expect((await start()).sessionId).toBe(warm.id);
    } finally {
      signalSpawner('SIGCONT');
    }
    await expectAnotherAgent(warm, performance.now());
  });

  test('one that died before anybody asked is given to nobody', async () => {
    const warm = await warmOne();
    process.kill(warm.agentPid, 'SIGKILL');
    await waitFor(async () => !(await warmIds(stack)).includes(warm.id), { timeoutMs: 1000 });
    const call = await startReady(stack);
    expect(call).not.toBe(warm.id);
    await endSession(stack, call);
    expect((await health(stack)).sessions.pool).toBeLessThanOrEqual(1);
  });
});
