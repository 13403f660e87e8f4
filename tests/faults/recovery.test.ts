import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  isAlive,
  readProcess,
  startLiveKit,
  startStack,
  type TestLiveKit,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
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

jest.setTimeout(90_000);

const RECOVERY_LIMIT_MS = 25_000;

let livekit: TestLiveKit;
beforeAll(async () => {
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());

test('Redis is emptied again while the agents of the first time are being ended: it recovers all the same', async () => {
  const stack = await startStack({
    agentCommand: agent('ignores-sigterm.sh'),
    livekit,
    env: { POOL_TARGET: '2', TERMINATION_GRACE: '3' },
  });
  const isRecovering = async () => (await health(stack)).dependencies.redis.detail === 'recovering';
  try {
    await waitForPool(stack, 2);
    await stack.redis.command('FLUSHALL');
    await waitFor(async () => !(await isRecovering()), { timeoutMs: RECOVERY_LIMIT_MS, intervalMs: 20 });
    // Its quarantine is over, and they take their time to die.
    await sleep(300);
    await stack.redis.command('FLUSHALL');
    await waitFor(isRecovering);
    await waitFor(async () => !(await isRecovering()), { timeoutMs: RECOVERY_LIMIT_MS });
    await waitForPool(stack, 2, 20_000);
    expect(stack.spawner.isRunning()).toBe(true);
  } finally {
    await stack.stop();
  }
});

describe('a spawner that starts', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: agent('ready-then-waits.sh'),
      livekit,
      env: { STALE_SWEEP_INTERVAL: '1' },
    });
  });
  afterAll(() => stack.stop());

  async function processOf(sessionId: string) {
    const { agentPid } = await sessionOf(stack, sessionId);
    return { pid: agentPid, startTime: readProcess(agentPid)?.startTime };
  }

  async function recordOf(sessionId: string): Promise<string> {
    const folder = path.join(stack.stateDir, 'launches');
    const [name = ''] = (await readdir(folder)).filter((it) => it.startsWith(sessionId));
    return path.join(folder, name);
  }

  test('while Redis is full adopts its calls, and ends those that are asked to end', async () => {
    const [stays, goes] = await Promise.all([startReady(stack), startReady(stack)]);
    const before = await processOf(stays);
    await stack.spawner.kill();
    expect((await endSession(stack, goes)).status).toBe(202);
    await stack.redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await stack.startSpawner();
      await waitForStatus(stack, goes, 404, 5000);
      expect(await keysOf(stack, goes)).toEqual([]);
      expect(await processOf(stays)).toEqual(before);
    } finally {
      await stack.redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    await endSession(stack, stays);
    await waitForStatus(stack, stays, 404);
  });

  test('leaves alone the agent of a record that it cannot read', async () => {
    const call = await startReady(stack);
    const before = await processOf(call);
    const record = await recordOf(call);
    const text = await readFile(record, 'utf8');
    await stack.spawner.kill();
    await writeFile(record, text.slice(0, 40));
    await stack.startSpawner();
    // Two sweeps, of which none may take it for a stray.
    await sleep(2500);
    expect(await processOf(call)).toEqual(before);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready' });
    await stack.spawner.kill();
    await writeFile(record, text);
    await stack.startSpawner();
    expect(await processOf(call)).toEqual(before);
    await endSession(stack, call);
    await waitForStatus(stack, call, 404);
  });

  test('refuses a record of a version that it does not know, says which, and touches nothing', async () => {
    const call = await startReady(stack);
    const { pid } = await processOf(call);
    const record = await recordOf(call);
    const text = await readFile(record, 'utf8');
    await stack.spawner.kill();
    await writeFile(record, text.replace('"schema":1', '"schema":999'));
    const env = { HOST_ID: 'test-host', STATE_DIR: stack.stateDir };
    const spawner = await startSecondSpawner(stack, env, { line: /listening/ });
    expect(await spawner.exited).toMatchObject({ code: 1 });
    expect(spawner.output()).toContain(`${record} was written by a version that this one does not know`);
    expect(isAlive(pid)).toBe(true);
    await writeFile(record, text);
    await stack.startSpawner();
    await endSession(stack, call);
    await waitForStatus(stack, call, 404);
  });
});
