import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { leaveCalls, startCall } from '../../support/caller.js';
import {
  comeBack,
  eventsOf,
  fieldOf,
  missedAt,
  throwOutAgent,
  waitForAnotherAgent,
} from '../../support/room-events.js';
import { endSession, sessionOf, waitForStatus } from '../../support/sessions.js';

/** A webhook on its way, the look that follows it, and the end of the agent on a busy machine. */
const MARGIN_MS = 6000;
const LEAVE_GRACE_MS = 10_000;
const AWAY_MS = 5000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('stays-when-removed.mjs'),
    webhooks: 'proxied',
    env: { LEAVE_GRACE: String(LEAVE_GRACE_MS / 1000), AGENT_HUNG_AFTER: '1' },
  });
});
afterAll(() => stack.stop());
afterEach(async () => {
  stack.webhooks.release();
  await leaveCalls();
  const { sessions } = (await stack.request('GET', '/api/sessions')).body;
  for (const { sessionId } of sessions) await endSession(stack, sessionId);
  await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: 8000 });
});

test('a caller who comes back within LEAVE_GRACE: the call goes on with the same agent', async () => {
  const { sessionId, caller } = await startCall(stack);
  const before = await sessionOf(stack, sessionId);
  await caller.leave();
  await missedAt(stack, sessionId);
  await comeBack(stack, sessionId);
  await waitFor(async () => (await fieldOf(stack, sessionId, 'callerLeftAt')) === null, {
    timeoutMs: MARGIN_MS,
  });
  await sleep(LEAVE_GRACE_MS + 500);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', agentPid: before.agentPid });
  const comings = (await eventsOf(stack, sessionId)).filter(([type]) => type.startsWith('caller_'));
  expect(comings).toEqual([
    ['caller_joined', { returned: false }],
    ['caller_left', {}],
    ['caller_joined', { returned: true }],
  ]);
}, 60_000);

describe('the spawner is killed (SIGKILL)', () => {
  test('after the caller left: its time goes on meanwhile, and the successor ends the call; one who came back stays', async () => {
    const [gone, back] = await Promise.all([startCall(stack), startCall(stack)]);
    await Promise.all([gone.caller.leave(), back.caller.leave()]);
    const leftAt = await missedAt(stack, gone.sessionId);
    await missedAt(stack, back.sessionId);
    await stack.spawner.kill();
    await comeBack(stack, back.sessionId);
    await sleep(AWAY_MS);
    const startedAt = Date.now();
    await stack.startSpawner();
    await waitFor(async () => (await fieldOf(stack, back.sessionId, 'callerLeftAt')) === null, {
      timeoutMs: MARGIN_MS,
    });
    const ended = await waitForStatus(stack, gone.sessionId, 404, LEAVE_GRACE_MS + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'caller_left' });
    expect(Date.parse(ended.endedAt) - leftAt).toBeGreaterThanOrEqual(LEAVE_GRACE_MS);
    // A time that began anew would not be over yet.
    expect(Date.parse(ended.endedAt) - startedAt).toBeLessThan(LEAVE_GRACE_MS);
    expect(await sessionOf(stack, back.sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
  }, 60_000);
});

describe('webhooks are lost', () => {
  beforeAll(async () => {
    await stack.spawner.stop();
    await stack.startSpawner({ HEALTH_CHECK_INTERVAL: '1' });
  });

  test('a room that was closed is missed, and the call ends as room_finished', async () => {
    const { sessionId, caller } = await startCall(stack);
    stack.webhooks.swallow();
    await stack.livekit.rooms.deleteRoom(caller.roomName);
    const ended = await waitForStatus(stack, sessionId, 404, 2000 + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'room_finished' });
  });

  test('an agent that was thrown out is missed, and the call gets another', async () => {
    const { sessionId, caller } = await startCall(stack);
    stack.webhooks.swallow();
    // Until the looks are over that its coming has caused.
    await sleep(1500);
    await throwOutAgent(stack, sessionId);
    expect(await waitForAnotherAgent(stack, sessionId)).toMatchObject({ restarts: 1 });
    expect(caller.hasStayed()).toBe(true);
  });
});
