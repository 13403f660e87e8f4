import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { leaveCalls, startCall } from '../../support/caller.js';
import {
  comeBack,
  fieldOf,
  missedAt,
  throwOutAgent,
  waitForAnotherAgent,
} from '../../support/room-events.js';
import { endSession, sessionOf, waitForStatus } from '../../support/sessions.js';

/** A webhook on its way, the look that follows it, and the end of the agent on a busy machine. */
const MARGIN_MS = 3000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('stays-when-removed.mjs'),
    webhooks: 'proxied',
    env: { LEAVE_GRACE: '6', AGENT_HUNG_AFTER: '1' },
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

describe('the spawner is killed (SIGKILL)', () => {
  test('after the caller left: its time goes on meanwhile, and the successor ends the call; one who came back stays', async () => {
    const [gone, back] = await Promise.all([startCall(stack), startCall(stack)]);
    await Promise.all([gone.caller.leave(), back.caller.leave()]);
    const leftAt = await missedAt(stack, gone.sessionId);
    await missedAt(stack, back.sessionId);
    await stack.spawner.kill();
    await comeBack(stack, back.sessionId);
    await sleep(2000);
    await stack.startSpawner();
    await waitFor(async () => (await fieldOf(stack, back.sessionId, 'callerLeftAt')) === null, {
      timeoutMs: MARGIN_MS,
    });
    expect(await fieldOf(stack, gone.sessionId, 'callerLeftAt')).toBe(String(leftAt));
    const ended = await waitForStatus(stack, gone.sessionId, 404, 6000 + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'caller_left' });
    expect(Date.parse(ended.endedAt) - leftAt).toBeGreaterThanOrEqual(6000);
    expect(Date.parse(ended.endedAt) - leftAt).toBeLessThan(6000 + 1500);
    expect(await sessionOf(stack, back.sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
  });
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
    await throwOutAgent(stack, sessionId);
    expect(await waitForAnotherAgent(stack, sessionId)).toMatchObject({ restarts: 1 });
    expect(caller.hasStayed()).toBe(true);
  });
});
