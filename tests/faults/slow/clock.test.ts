import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type FakeClock,
  makeFakeClock,
  readProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { endSession, keysOf, sessionOf, startReady, waitForStatus } from '../../support/sessions.js';

const HOUR_SECONDS = 3600;
/** A moved clock is seen within a second. */
const SEEN_MS = 1200;

let clock: FakeClock;
let stack: TestStack;
beforeAll(async () => {
  clock = await makeFakeClock();
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    redis: { persistent: true, config: { appendfsync: 'always' } },
    env: { ...clock.env, HEALTH_CHECK_INTERVAL: '0.5', STALE_SWEEP_INTERVAL: '1', SESSION_TIMEOUT: '600' },
  });
});
afterAll(async () => {
  await stack.stop();
  await clock.remove();
});

async function processOf(sessionId: string) {
  const { agentPid, status, restarts, generation } = await sessionOf(stack, sessionId);
  return { agentPid, status, restarts, generation, startTime: readProcess(agentPid)?.startTime };
}

async function endAndForget(sessionId: string): Promise<void> {
  expect((await endSession(stack, sessionId)).status).toBe(202);
  await waitForStatus(stack, sessionId, 404);
  expect(await keysOf(stack, sessionId)).toEqual([]);
}

/** As the test's own clock is Redis's. */
async function setDeadline(sessionId: string, inMs: number): Promise<number> {
  const deadlineAt = Date.now() + inMs;
  await stack.redis.command('HSET', `session:${sessionId}`, 'deadlineAt', deadlineAt);
  await stack.redis.command('ZADD', 'sessions:deadlines', deadlineAt, sessionId);
  return deadlineAt;
}

test.each([
  ['ahead', HOUR_SECONDS],
  ['behind', -HOUR_SECONDS],
])(
  'moved by an hour, %s: calls go on, a restarted spawner adopts them, deadlines stay, ends work',
  async (_way, offsetSeconds) => {
    // After a restart of Redis starts are refused for some seconds.
    const call = await waitFor(() => startReady(stack), { timeoutMs: 30_000 });
    const timed = await startReady(stack);
    const before = await processOf(call);
    const { agentPid } = await processOf(timed);
    clock.set(offsetSeconds);
    // Health checks and sweeps look meanwhile.
    await sleep(SEEN_MS + 1500);
    expect(await processOf(call)).toEqual(before);

    await stack.spawner.kill();
    await stack.startSpawner();
    await sleep(SEEN_MS);
    expect(await processOf(call)).toEqual(before);

    const deadlineAt = await setDeadline(timed, 6000);
    // A health check hears of it; from here on only the host knows.
    await sleep(1000);
    await stack.redis.kill();
    await waitFor(() => readProcess(agentPid) === undefined, { timeoutMs: 9000 });
    expect(Date.now()).toBeGreaterThan(deadlineAt - 50);
    expect(Date.now()).toBeLessThan(deadlineAt + 2500);
    await stack.redis.restart();
    expect(await waitForStatus(stack, timed, 404, 15_000)).toMatchObject({ endReason: 'session_timeout' });
    expect(await processOf(call)).toMatchObject({ agentPid: before.agentPid, status: 'ready', restarts: 0 });
    await endAndForget(call);
    await waitFor(() => stack.agentProcesses().length === 0);

    // LiveKit takes no token of another time: what had to wait for it is done when the clock is right.
    clock.set(0);
    await waitFor(async () => (await stack.livekit.rooms.listRooms()).length === 0, { timeoutMs: 20_000 });
  },
  70_000,
);
