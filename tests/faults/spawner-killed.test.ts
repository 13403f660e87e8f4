import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from '../support/sessions.js';

const STARTUP_MS = 10_000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('nasty-by-voice.sh'),
    // Our own death must not use up the only attempt.
    env: { BOT_STARTUP_TIMEOUT: String(STARTUP_MS / 1000), SPAWN_ATTEMPTS: '1' },
  });
});
afterEach(async () => {
  await stack.spawner.stop();
  await stack.startSpawner({ FAULT_AT: '' });
});
afterAll(() => stack.stop());

async function spawnerThatDiesAt(point: string): Promise<void> {
  await stack.spawner.stop();
  await stack.startSpawner({ FAULT_AT: point });
}

async function diedOfTheFault(): Promise<void> {
  expect(await stack.spawner.exited).toEqual({ code: null, signal: 'SIGKILL' });
}

/** First processes of agents: each leads a session of its own. */
function agents() {
  return stack.agentProcesses().filter((it) => it.sid === it.pid);
}

async function expectNothingLeft(sessionId: string): Promise<void> {
  expect(await keysOf(stack, sessionId)).toEqual([]);
  const rooms = await stack.livekit.rooms.listRooms();
  expect(rooms.filter((room) => room.name.includes(sessionId))).toEqual([]);
  expect(stack.agentProcesses()).toEqual([]);
}

describe('the spawner is killed and started again', () => {
  test.each([
    ['claimed', 'before it had done anything for a launch', 2],
    ['spawned', 'between spawn and record', 2],
    ['recorded', 'between record and commit', 2],
    ['committed', 'before it let the agent through the gate', 2],
    ['released', 'just after it let the agent through the gate', 1],
  ])('at %s, %s: the caller has one agent within its time', async (point, _when, generation) => {
    await spawnerThatDiesAt(point);
    const acceptedAt = performance.now();
    const sessionId = await startSession(stack);
    await diedOfTheFault();
    await stack.startSpawner({ FAULT_AT: '' });
    const session = await waitForStatus(stack, sessionId, 'ready', STARTUP_MS);
    const tookMs = performance.now() - acceptedAt;
    expect(tookMs).toBeLessThan(STARTUP_MS);
    expect(session).toMatchObject({ generation, attempts: generation - 1, restarts: 0 });
    expect(agents().map((it) => it.pid)).toEqual([session.agentPid]);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
    await expectNothingLeft(sessionId);
  });

  test('at killing, in the middle of an end: the end is completed, once', async () => {
    await spawnerThatDiesAt('killing');
    const sessionId = await startReady(stack, { voiceId: 'ignores-sigterm' });
    await endSession(stack, sessionId);
    await diedOfTheFault();
    expect((await sessionOf(stack, sessionId)).status).toBe('ending');
    await stack.startSpawner({ FAULT_AT: '' });
    const gone = await waitForStatus(stack, sessionId, 404, 5000);
    expect(gone.endReason).toBe('admin_ended');
    await waitFor(() => agents().length === 0, { timeoutMs: 1000 });
    await expectNothingLeft(sessionId);
  });
});
