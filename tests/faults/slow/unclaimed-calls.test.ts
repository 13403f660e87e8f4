import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { joinCall, leaveCalls } from '../../support/caller.js';
import { fieldOf } from '../../support/room-events.js';
import { endSession, sessionOf, startSession, waitForStatus } from '../../support/sessions.js';

const LEAVE_GRACE_MS = 1000;
/** Two heartbeats: it has waited for long enough, and it is missed for long enough. */
const LOOKS_MS = 12_000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('never-ready.sh'),
    env: {
      LEAVE_GRACE: String(LEAVE_GRACE_MS / 1000),
      SPAWN_CONCURRENCY: '1',
      BOT_STARTUP_TIMEOUT: '60',
      HEALTH_CHECK_INTERVAL: '0.5',
    },
  });
});
afterAll(async () => {
  await leaveCalls();
  await stack.stop();
});

test('who leaves while its next launch waits for a busy host has left: the call ends, and its place is free', async () => {
  const started = await startSession(stack);
  const { sessionId } = started;
  await waitFor(async () => (await sessionOf(stack, sessionId)).agentPid !== undefined);
  const caller = await joinCall(stack, started);
  await waitFor(async () => (await fieldOf(stack, sessionId, 'callerJoinedAt')) !== null);
  // Next in turn when the first agent is gone, and then the only one that may be starting.
  const busy = await startSession(stack);
  process.kill(Number((await sessionOf(stack, sessionId)).agentPid), 'SIGKILL');
  await waitFor(async () => (await sessionOf(stack, busy.sessionId)).agentPid !== undefined);
  await caller.leave();
  const ended = await waitForStatus(stack, sessionId, 404, LEAVE_GRACE_MS + LOOKS_MS);
  expect(ended).toMatchObject({ code: 'session_ended', endReason: 'caller_left' });
  expect(await sessionOf(stack, busy.sessionId)).toMatchObject({ status: 'starting' });
  await endSession(stack, busy.sessionId);
});
