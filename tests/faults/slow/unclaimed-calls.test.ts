import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { joinCall, leaveCalls } from '../../support/caller.js';
import { fieldOf } from '../../support/room-events.js';
import { endSession, health, sessionOf, startSession, waitForStatus } from '../../support/sessions.js';

const LEAVE_GRACE_MS = 1000;
/** It has waited for 5 s, a heartbeat later it is missed, and with the next one for long enough. */
const LOOKS_MS = 20_000;

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
  const { body: started } = await stack.request('POST', '/api/session/start', {});
  const { sessionId } = started;
  const agentPid = (id: string) => fieldOf(stack, id, 'agentPid');
  const pid = await waitFor(() => agentPid(sessionId));
  const caller = await joinCall(stack, started);
  await waitFor(() => fieldOf(stack, sessionId, 'callerJoinedAt'));
  // Next in turn when the first agent is gone, and then the only one that may be starting.
  const busy = await startSession(stack);
  process.kill(Number(pid), 'SIGKILL');
  await waitFor(() => agentPid(busy));
  await caller.leave();
  const ended = await waitForStatus(stack, sessionId, 404, LEAVE_GRACE_MS + LOOKS_MS);
  expect(ended).toMatchObject({ code: 'session_ended', endReason: 'caller_left' });
  expect(await sessionOf(stack, busy)).toMatchObject({ status: 'starting' });
  await endSession(stack, busy);
});

test('a start that no host takes for JOIN_GRACE ends as no_host', async () => {
  const busy = await startSession(stack);
  await waitFor(() => fieldOf(stack, busy, 'agentPid'));
  const unclaimed = await startSession(stack);
  const [{ host }] = (await stack.request('GET', '/api/hosts')).body.hosts;
  expect((await stack.request('POST', `/api/hosts/${host}/drain`)).status).toBe(200);
  await stack.spawner.kill();
  await stack.startSpawner({ JOIN_GRACE: '2' });
  const ended = await waitForStatus(stack, unclaimed, 404, 2000 + LOOKS_MS);
  expect(ended).toMatchObject({ code: 'session_ended', endReason: 'no_host' });
  await waitForStatus(stack, busy, 404, LOOKS_MS);
  expect((await health(stack)).capacity.current).toBe(0);
});
