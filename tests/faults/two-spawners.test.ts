import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, type RunningProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { canMakeNetworks, startSpawnerElsewhere } from '../support/another-network.js';
import { startSecondSpawner } from '../support/second-spawner.js';
import { endSession, sessionOf, startReady, waitForStatus } from '../support/sessions.js';

const HOST = 'test-host';
const LIMIT_MS = 2000;
const HEARTBEAT_MS = 5000;
const CAN_MAKE_NETWORKS = await canMakeNetworks();

let stack: TestStack;
let call: string;
let agentPid: number;
beforeAll(async () => {
  // Nobody joins this call, which stays for as long as this file takes.
  stack = await startStack({ agentCommand: agent('ready-then-waits.sh'), env: { JOIN_GRACE: '0' } });
  call = await startReady(stack);
  ({ agentPid } = await sessionOf(stack, call));
});
afterAll(() => stack.stop());

interface Refusal {
  code: number | null;
  tookMs: number;
  output: string;
}

async function refusalOf(start: () => Promise<RunningProcess>): Promise<Refusal> {
  const startedAt = performance.now();
  const spawner = await start();
  const late = sleep(LIMIT_MS * 5, undefined, { ref: false }).then(() => ({ code: null }));
  const { code } = await Promise.race([spawner.exited, late]);
  const tookMs = performance.now() - startedAt;
  await spawner.stop();
  return { code, tookMs, output: spawner.output() };
}

/** The best of three: how long a busy machine takes to start a program is not what is measured. */
async function timedRefusalOf(start: () => Promise<RunningProcess>): Promise<Refusal> {
  let best = await refusalOf(start);
  for (let again = 0; again < 2 && best.tookMs >= LIMIT_MS; again += 1) {
    const next = await refusalOf(start);
    if (next.tookMs < best.tookMs) best = next;
  }
  return best;
}

/** A spawner beside the first, on the same machine. */
function beside(env: Record<string, string>): () => Promise<RunningProcess> {
  return () => startSecondSpawner(stack, env, () => true);
}

async function expectUndisturbed(): Promise<void> {
  const since = Date.now();
  expect((await fetch(`${stack.spawnerUrl}/readyz`)).status).toBe(200);
  expect(await sessionOf(stack, call)).toMatchObject({
    status: 'ready',
    agentPid,
    generation: 1,
    restarts: 0,
  });
  expect(isAlive(agentPid)).toBe(true);
  const next = await startReady(stack);
  expect((await endSession(stack, next)).status).toBe(202);
  await waitForStatus(stack, next, 404);
  expect(Number(await stack.redis.command('HGET', `host:${HOST}`, 'lastSeenAt'))).toBeGreaterThan(
    since - HEARTBEAT_MS - 1000,
  );
}

describe('a second spawner on the same machine', () => {
  test('with the same HOST_ID refuses within 2 s and says why; the first one and its calls do not notice', async () => {
    const refusal = await timedRefusalOf(beside({ HOST_ID: HOST }));
    expect(refusal).toMatchObject({
      code: 1,
      output: expect.stringContaining(`HOST_ID ${HOST} already runs`),
    });
    expect(refusal.tookMs).toBeLessThan(LIMIT_MS);
    await expectUndisturbed();
  });

  test('with the same STATE_DIR refuses too, whatever its HOST_ID and whatever way leads there', async () => {
    const refusal = await timedRefusalOf(
      beside({ STATE_DIR: `${stack.stateDir}/../${stack.stateDir.split('/').at(-1)}` }),
    );
    expect(refusal).toMatchObject({ code: 1, output: expect.stringContaining('already works in STATE_DIR') });
    expect(refusal.tookMs).toBeLessThan(LIMIT_MS);
    await expectUndisturbed();
  });

  test('refuses while the first one hangs: it may have calls', async () => {
    stack.spawner.pause();
    try {
      expect((await refusalOf(beside({ HOST_ID: HOST }))).code).toBe(1);
    } finally {
      stack.spawner.resume();
    }
    await expectUndisturbed();
  });

  test('after kill -9 of the first one starts at once, and the call goes on', async () => {
    await stack.spawner.kill();
    const startedAt = performance.now();
    await stack.startSpawner();
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await expectUndisturbed();
  });
});

describe('a second spawner that no socket can stop, as on another machine', () => {
  async function expectRefusedByLease(start: () => Promise<RunningProcess>): Promise<{ tookMs: number }> {
    const refusal = await timedRefusalOf(start);
    expect(refusal).toMatchObject({
      code: 1,
      output: expect.stringMatching(new RegExp(`HOST_ID ${HOST} is held by another spawner on .* in \\d+ s`)),
    });
    await expectUndisturbed();
    return refusal;
  }

  test('because it knows the same Redis by another name: refuses within 2 s and says for how long', async () => {
    const REDIS_URL = `redis://localhost:${stack.redis.port}`;
    const { tookMs } = await expectRefusedByLease(beside({ HOST_ID: HOST, REDIS_URL }));
    expect(tookMs).toBeLessThan(LIMIT_MS);
  });

  const whereNetworksCanBeMade = CAN_MAKE_NETWORKS ? test : test.skip;
  whereNetworksCanBeMade('in another network: refuses; the first one does not notice', async () => {
    await expectRefusedByLease(() => startSpawnerElsewhere(stack));
  });

  test('that takes the host id over while the first one hangs: the first one takes no work until it is free again', async () => {
    stack.spawner.pause();
    // As 15 s without a heartbeat leave it.
    await stack.redis.command('HSET', `host:${HOST}`, 'leaseUntil', 1);
    const REDIS_URL = `redis://localhost:${stack.redis.port}`;
    const second = await startSecondSpawner(stack, { HOST_ID: HOST, REDIS_URL });
    try {
      stack.spawner.resume();
      const readiness = async () => (await fetch(`${stack.spawnerUrl}/readyz`)).text();
      await waitFor(async () => (await readiness()).includes('held by another spawner'), {
        timeoutMs: HEARTBEAT_MS + 1000,
      });
      const calls = await Promise.all([startReady(stack), startReady(stack)]);
      for (const id of calls) expect(second.output()).toContain(`…${id.slice(-6)}`);
      await sleep(HEARTBEAT_MS);
      for (const id of calls)
        expect(await sessionOf(stack, id)).toMatchObject({ status: 'ready', restarts: 0 });
    } finally {
      await second.stop();
    }
    await waitFor(async () => (await fetch(`${stack.spawnerUrl}/readyz`)).status === 200, {
      timeoutMs: HEARTBEAT_MS + 1000,
    });
    await endSession(stack, await startReady(stack));
  });
});
