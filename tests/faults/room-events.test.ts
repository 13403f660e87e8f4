import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { leaveCalls, startCall } from '../support/caller.js';
import { resize, warmIds } from '../support/pool.js';
import { eventsOf, fieldOf, missedAt, throwOutAgent, waitForAnotherAgent } from '../support/room-events.js';
import {
  endSession,
  health,
  sessionOf,
  startSession,
  waitForPool,
  waitForStatus,
} from '../support/sessions.js';

const JOIN_GRACE_MS = 3000;
const LEAVE_GRACE_MS = 2000;
/** A webhook on its way, the look that follows it, and the end of the agent on a busy machine. */
const MARGIN_MS = 6000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('stays-when-removed.mjs'),
    webhooks: 'proxied',
    env: {
      LEAVE_GRACE: String(LEAVE_GRACE_MS / 1000),
      AGENT_HUNG_AFTER: '1',
    },
  });
});
afterAll(() => stack.stop());
afterEach(async () => {
  await leaveCalls();
  const { sessions } = (await stack.request('GET', '/api/sessions')).body;
  for (const { sessionId } of sessions) await endSession(stack, sessionId);
  await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: 8000 });
});

describe('LiveKit says by webhook', () => {
  test('that the caller left: it has LEAVE_GRACE to come back, then the call ends as caller_left', async () => {
    const { sessionId, caller } = await startCall(stack);
    await waitFor(async () => (await fieldOf(stack, sessionId, 'callerJoinedAt')) !== null, {
      timeoutMs: MARGIN_MS,
    });
    await caller.leave();
    const leftAt = await missedAt(stack, sessionId);
    const ended = await waitForStatus(stack, sessionId, 404, LEAVE_GRACE_MS + MARGIN_MS);
    expect(ended).toMatchObject({ code: 'session_ended', endReason: 'caller_left' });
    expect(Date.parse(ended.endedAt) - leftAt).toBeGreaterThanOrEqual(LEAVE_GRACE_MS);
    expect((await health(stack)).capacity.current).toBe(0);
  });

  test('that the room was closed: the call ends as room_finished, though its agent stays, and others go on', async () => {
    const [closed, other] = await Promise.all([startCall(stack), startCall(stack)]);
    await stack.livekit.rooms.deleteRoom(closed.caller.roomName);
    const ended = await waitForStatus(stack, closed.sessionId, 404, 1000 + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'room_finished' });
    expect(await sessionOf(stack, other.sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
    expect(other.caller.hasStayed()).toBe(true);
  });

  test('that the room was closed: it is room_finished too where the agent leaves with it', async () => {
    const { sessionId, caller } = await startCall(stack, { voiceId: 'leaves' });
    await stack.livekit.rooms.deleteRoom(caller.roomName);
    const ended = await waitForStatus(stack, sessionId, 404, MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'room_finished' });
  });

  test('that the agent was thrown out: though its process lives, the call gets another one in the same room', async () => {
    const { sessionId, caller } = await startCall(stack);
    const before = await sessionOf(stack, sessionId);
    await throwOutAgent(stack, sessionId);
    const after = await waitForAnotherAgent(stack, sessionId);
    expect(after).toMatchObject({ restarts: 1, roomName: before.roomName });
    expect(await eventsOf(stack, sessionId)).toContainEqual([
      'restarting',
      { cause: 'agent_vanished', restarts: 1 },
    ]);
    expect(caller.hasStayed()).toBe(true);
    expect(stack.agentProcesses()).toHaveLength(1);
  });

  test('that a warm agent was thrown out: it is retired, and another takes its place', async () => {
    await resize(stack, 1);
    await waitForPool(stack, 1, 30_000);
    const [warm = ''] = await warmIds(stack);
    await throwOutAgent(stack, warm);
    const ended = await waitForStatus(stack, warm, 404, 1000 + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'agent_vanished' });
    await waitForPool(stack, 1, 20_000);
    expect(await warmIds(stack)).not.toContain(warm);
    await resize(stack, 0);
  });
});

test('rooms are looked at when something happens there, and not all the time', async () => {
  const { caller } = await startCall(stack);
  await sleep(2500);
  const looks = async () => {
    const { body } = await stack.request('GET', `${stack.spawnerUrl}/metrics`);
    return Number(/^greenroom_room_looks_total\{[^}]*\} (\d+)$/m.exec(body)?.[1]);
  };
  const before = await looks();
  expect(before).toBeGreaterThan(0);
  await sleep(3000);
  expect(await looks()).toBe(before);
  await caller.leave();
  await waitFor(async () => (await looks()) > before, { timeoutMs: MARGIN_MS });
});

describe('webhooks are lost', () => {
  beforeAll(async () => {
    await stack.spawner.stop();
    await stack.startSpawner({ LEAVE_GRACE: String(LEAVE_GRACE_MS / 1000), HEALTH_CHECK_INTERVAL: '1' });
  });
  afterEach(() => stack.webhooks.release());

  test('a caller who left is missed at the next look, and the call ends as caller_left', async () => {
    const { sessionId, caller } = await startCall(stack);
    stack.webhooks.swallow();
    await waitFor(async () => (await fieldOf(stack, sessionId, 'callerJoinedAt')) !== null, {
      timeoutMs: MARGIN_MS,
    });
    // Until the looks are over that its coming has caused.
    await sleep(1500);
    await caller.leave();
    const ended = await waitForStatus(stack, sessionId, 404, 1000 + LEAVE_GRACE_MS + MARGIN_MS);
    expect(ended).toMatchObject({ endReason: 'caller_left' });
  });
});

test('a caller who never comes: its place is free after JOIN_GRACE, and the call ended as caller_never_joined', async () => {
  await stack.spawner.stop();
  await stack.startSpawner({ JOIN_GRACE: String(JOIN_GRACE_MS / 1000) });
  const sessionId = await startSession(stack);
  expect((await health(stack)).capacity.current).toBe(1);
  const ended = await waitForStatus(stack, sessionId, 404, JOIN_GRACE_MS + MARGIN_MS);
  expect(ended).toMatchObject({ endReason: 'caller_never_joined' });
  expect(ended.durationMs).toBeGreaterThanOrEqual(JOIN_GRACE_MS);
  expect((await health(stack)).capacity.current).toBe(0);
});
