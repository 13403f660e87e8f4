import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForPool,
  waitForStatus,
} from './support/sessions.js';

async function expectNothingLeft(stack: TestStack, sessionId: string): Promise<void> {
  expect(await keysOf(stack, sessionId)).toEqual([]);
  const rooms = await stack.livekit.rooms.listRooms();
  expect(rooms.filter((room) => room.name.includes(sessionId))).toEqual([]);
}

describe('each way to end', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({ agentCommand: agent('ends-by-itself.sh') });
  });
  afterAll(() => stack.stop());

  test.each([
    ['end', 'agent_ended'],
    ['zero', 'agent_exited'],
    ['crash', 'agent_crashed'],
    ['killed', 'agent_crashed'],
  ])('an agent that does "%s" ends the session as %s, and nothing is left', async (voiceId, reason) => {
    const sessionId = await startReady(stack, { voiceId });
    const gone = await waitForStatus(stack, sessionId, 404, 5000);
    expect(gone).toMatchObject({ code: 'session_ended', endReason: reason });
    expect(gone.durationMs).toBeGreaterThan(900);
    await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: 1000 });
    await expectNothingLeft(stack, sessionId);
  });

  test('the caller ends: the tree, the room and the keys are gone, and asking again is no error', async () => {
    const sessionId = await startReady(stack);
    const end = () => stack.request('POST', '/api/session/end', { sessionId }, { authorization: '' });
    const answers = await Promise.all([end(), end()]);
    expect(answers.map((it) => it.status)).toEqual([202, 202]);
    const gone = await waitForStatus(stack, sessionId, 404, 4000);
    expect(gone.endReason).toBe('caller_ended');
    await expectNothingLeft(stack, sessionId);
    expect((await endSession(stack, sessionId)).status).toBe(404);
  });

  test('50 ends at once are one SIGTERM series and one end', async () => {
    const sessionId = await startReady(stack);
    const before = (await health(stack)).stats.totalEnded;
    await Promise.all(Array.from({ length: 50 }, () => endSession(stack, sessionId)));
    await waitForStatus(stack, sessionId, 404, 4000);
    expect((await health(stack)).stats.totalEnded).toBe(before + 1);
    const stops = stack
      .logs()
      .split('\n')
      .filter((line) => line.includes('agent stopped') && line.includes(sessionId.slice(-6)));
    expect(stops).toHaveLength(1);
    expect(stops[0]).toContain('pgid == pid');
  });

  test('a lost wake-up only delays the end: the state is the order', async () => {
    const sessionId = await startReady(stack);
    const { host } = await sessionOf(stack, sessionId);
    await stack.redis.command(
      'HSET',
      `session:${sessionId}`,
      'status',
      'ending',
      'endReason',
      'caller_ended',
    );
    await stack.redis.command('SADD', `host:${host}:ending`, sessionId);
    await waitForStatus(stack, sessionId, 404, 8000);
    await expectNothingLeft(stack, sessionId);
  });
});

test('a session whose agent is already dead ends like any other', async () => {
  const stack = await startStack({ agentCommand: agent('ready-then-waits.sh') });
  try {
    const sessionId = await startReady(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    // The spawner must not notice first: it is stopped while the agent dies.
    stack.spawner.pause();
    process.kill(agentPid, 'SIGKILL');
    expect((await endSession(stack, sessionId)).status).toBe(202);
    stack.spawner.resume();
    const gone = await waitForStatus(stack, sessionId, 404, 5000);
    expect(gone.endReason).toBe('admin_ended');
    expect(isAlive(agentPid)).toBe(false);
    await waitFor(() => stack.agentProcesses().length === 0);
    await expectNothingLeft(stack, sessionId);
  } finally {
    await stack.stop();
  }
});

test('at SESSION_TIMEOUT, counted from the assignment, a call ends', async () => {
  const stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { SESSION_TIMEOUT: '3', POOL_TARGET: '1' },
  });
  try {
    await waitForPool(stack, 1);
    // A warm agent's wait is no part of the call.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const startedAt = performance.now();
    const sessionId = await startSession(stack);
    expect(sessionId).toMatch(/^prewarm_/);
    const gone = await waitForStatus(stack, sessionId, 404, 8000);
    const tookMs = performance.now() - startedAt;
    expect(gone.endReason).toBe('session_timeout');
    expect(tookMs).toBeGreaterThan(2900);
    expect(tookMs).toBeLessThan(4000);
  } finally {
    await stack.stop();
  }
});

test('Ctrl-C in both services leaves no process, room or session', async () => {
  const stack = await startStack({ agentCommand: agent('ready-then-waits.sh'), env: { POOL_TARGET: '2' } });
  try {
    await waitForPool(stack, 2);
    const sessionId = await startReady(stack);
    await stack.spawner.stop();
    expect(stack.agentProcesses()).toEqual([]);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
    expect(await keysOf(stack, sessionId)).toEqual([]);
  } finally {
    await stack.stop();
  }
});
