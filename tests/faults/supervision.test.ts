import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  startLiveKit,
  startStack,
  type TestLiveKit,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { leaveCalls, startCall } from '../support/caller.js';
import { resize, warmIds } from '../support/pool.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  waitForPool,
  waitForStatus,
} from '../support/sessions.js';

let livekit: TestLiveKit;
beforeAll(async () => {
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());
afterEach(leaveCalls);

/** Waits until the session is ready in its launch of this number. */
async function waitForGeneration(
  stack: TestStack,
  sessionId: string,
  generation: number,
  timeoutMs = 10_000,
) {
  await waitFor(
    async () => {
      const session = await sessionOf(stack, sessionId);
      return session.status === 'ready' && session.generation === generation;
    },
    { timeoutMs },
  );
  return sessionOf(stack, sessionId);
}

async function eventsOf(stack: TestStack, sessionId: string, type: string): Promise<unknown[]> {
  const entries = (await stack.redis.command('XRANGE', `stream:${sessionId}`, '-', '+')) as [
    string,
    string[],
  ][];
  return entries.filter(([, fields]) => fields[1] === type).map(([, fields]) => JSON.parse(fields[3] ?? ''));
}

async function endAndForget(stack: TestStack, sessionId: string): Promise<void> {
  expect((await endSession(stack, sessionId)).status).toBe(202);
  await waitForStatus(stack, sessionId, 404);
  expect(await keysOf(stack, sessionId)).toEqual([]);
  await waitFor(() => stack.agentProcesses().length === 0);
}

test('an agent killed during a call: a new one in the same room and session, the caller never leaves', async () => {
  const stack = await startStack({
    agentCommand: agent('joins-room.mjs'),
    livekit,
    env: { POOL_TARGET: '1' },
  });
  try {
    await waitForPool(stack, 1, 20_000);
    const { sessionId, caller } = await startCall(stack);
    const before = await sessionOf(stack, sessionId);
    const [roomBefore] = await livekit.rooms.listRooms([caller.roomName]);
    process.kill(before.agentPid, 'SIGKILL');
    const after = await waitForGeneration(stack, sessionId, before.generation + 1, 20_000);
    expect(after).toMatchObject({ sessionId, restarts: 1, roomName: before.roomName, host: before.host });
    expect(after.agentPid).not.toBe(before.agentPid);
    expect(after.deadlineAt).toBe(before.deadlineAt);
    expect(isAlive(before.agentPid)).toBe(false);
    const [roomAfter] = await livekit.rooms.listRooms([caller.roomName]);
    expect(roomAfter?.sid).toBe(roomBefore?.sid);
    const participants = await livekit.rooms.listParticipants(caller.roomName);
    const identities = participants.map((it) => it.identity).sort();
    expect(identities).toEqual([`agent-${sessionId}-g2`, expect.stringMatching(/^caller-/)]);
    expect(caller.hasStayed()).toBe(true);
    expect(await eventsOf(stack, sessionId, 'restarting')).toEqual([{ cause: 'agent_crashed', restarts: 1 }]);
    await caller.leave();
    expect((await endSession(stack, sessionId)).status).toBe(202);
    await waitForStatus(stack, sessionId, 404);
  } finally {
    await stack.stop();
  }
}, 60_000);

describe('with a caller in the room', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: agent('obeys-signals.sh'),
      livekit,
      env: { RESTART_INTENSITY: '2', SPAWN_ATTEMPTS: '2' },
    });
  });
  afterAll(() => stack.stop());

  async function signalAgent(sessionId: string, signal: NodeJS.Signals): Promise<void> {
    process.kill((await sessionOf(stack, sessionId)).agentPid, signal);
  }

  async function expectTheEnd(signal: NodeJS.Signals, endReason: string): Promise<void> {
    const { sessionId, caller } = await startCall(stack);
    await signalAgent(sessionId, signal);
    expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason });
    await waitFor(() => stack.agentProcesses().length === 0);
    // The room is closed on the caller: that is how it notices.
    await waitFor(() => caller.events().some(({ event }) => event === 'disconnected'));
    await caller.leave();
  }

  test('an agent that leaves with exit code 0 ends the call', () => expectTheEnd('SIGUSR1', 'agent_exited'));

  test('an agent that announces its end and dies ends the call', () =>
    expectTheEnd('SIGUSR2', 'agent_ended'));

  test('an agent that crashes after its caller has gone is not started again', async () => {
    const { sessionId, caller } = await startCall(stack);
    await caller.leave();
    await waitFor(async () => (await livekit.rooms.listParticipants(caller.roomName)).length === 0);
    await signalAgent(sessionId, 'SIGKILL');
    expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason: 'agent_crashed' });
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('an agent that crashes more than RESTART_INTENSITY times ends its call', async () => {
    const { sessionId, caller } = await startCall(stack);
    for (const generation of [2, 3]) {
      await signalAgent(sessionId, 'SIGKILL');
      expect(await waitForGeneration(stack, sessionId, generation)).toMatchObject({
        restarts: generation - 1,
      });
    }
    expect(caller.hasStayed()).toBe(true);
    await signalAgent(sessionId, 'SIGKILL');
    expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason: 'agent_crashed' });
    await waitFor(() => caller.events().some(({ event }) => event === 'disconnected'));
    await caller.leave();
    await waitFor(() => stack.agentProcesses().length === 0);
    expect(await keysOf(stack, sessionId)).toEqual([]);
  });

  test('one that dies while it is being started again is a failed attempt, and gets another', async () => {
    const { sessionId, caller } = await startCall(stack, { voiceId: 'slow' });
    await signalAgent(sessionId, 'SIGKILL');
    const { agentPid } = await waitForAgent(stack, sessionId, 2);
    process.kill(agentPid, 'SIGKILL');
    expect(await waitForGeneration(stack, sessionId, 3)).toMatchObject({ restarts: 1, attempts: 1 });
    expect(caller.hasStayed()).toBe(true);
    await caller.leave();
    await endAndForget(stack, sessionId);
  });

  test('an agent that cannot be started again shows why, and its room is closed on the caller', async () => {
    const { sessionId, caller } = await startCall(stack, { voiceId: 'slow' });
    await signalAgent(sessionId, 'SIGKILL');
    for (const generation of [2, 3]) {
      process.kill((await waitForAgent(stack, sessionId, generation)).agentPid, 'SIGKILL');
    }
    expect(await waitForStatus(stack, sessionId, 'error')).toMatchObject({
      error: 'The agent exited by SIGKILL before it was ready.',
      restarts: 1,
    });
    await waitFor(() => caller.events().some(({ event }) => event === 'disconnected'));
    await caller.leave();
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('an admin asks for another agent: it comes into the same room, and that is no crash', async () => {
    const { sessionId, caller } = await startCall(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    for (const generation of [2, 3, 4]) {
      const answer = await stack.request('POST', `/api/session/${sessionId}/restart`);
      expect(answer).toMatchObject({ status: 202, body: { success: true, sessionId, status: 'restarting' } });
      expect(await waitForGeneration(stack, sessionId, generation)).toMatchObject({
        restarts: generation - 1,
      });
    }
    expect(isAlive(agentPid)).toBe(false);
    expect(caller.hasStayed()).toBe(true);
    await caller.leave();
    await endAndForget(stack, sessionId);
  });

  test('a restart whose message was lost is done with the next heartbeat', async () => {
    const sessionId = await startReady(stack);
    const { host } = await sessionOf(stack, sessionId);
    const launch = await stack.redis.command('HGET', `session:${sessionId}`, 'launch');
    await stack.redis.command('HSET', `session:${sessionId}`, 'restartRequested', String(launch));
    await stack.redis.command('SADD', `host:${host}:restarting`, sessionId);
    expect(await waitForGeneration(stack, sessionId, 2)).toMatchObject({ restarts: 1 });
    await endAndForget(stack, sessionId);
  });

  test('an agent that dies when LiveKit has just been away is started again: its caller may be on the way back', async () => {
    const own = await startLiveKit();
    const other = await startStack({
      agentCommand: agent('obeys-signals.sh'),
      livekit: own,
      env: { LEAVE_GRACE: '4' },
    });
    try {
      const { sessionId } = await startCall(other);
      // This one will not be back, which nobody can know yet.
      await leaveCalls();
      await own.restart();
      process.kill((await sessionOf(other, sessionId)).agentPid, 'SIGKILL');
      await waitForGeneration(other, sessionId, 2);
      await sleep(4000);
      process.kill((await sessionOf(other, sessionId)).agentPid, 'SIGKILL');
      expect(await waitForStatus(other, sessionId, 404)).toMatchObject({ endReason: 'agent_crashed' });
    } finally {
      await other.stop();
      await own.stop();
    }
  });

  test('an end that is asked for while it restarts wins', async () => {
    const { sessionId, caller } = await startCall(stack, { voiceId: 'slow' });
    await signalAgent(sessionId, 'SIGKILL');
    await waitForStatus(stack, sessionId, 'restarting');
    expect((await endSession(stack, sessionId)).status).toBe(202);
    expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason: 'admin_ended' });
    await waitFor(() => stack.agentProcesses().length === 0);
    await caller.leave();
    expect(await keysOf(stack, sessionId)).toEqual([]);
  });

  test('the spawner is killed in the middle of a restart: its successor goes on with it', async () => {
    const { sessionId, caller } = await startCall(stack, { voiceId: 'slow' });
    await signalAgent(sessionId, 'SIGKILL');
    const { agentPid } = await waitForAgent(stack, sessionId, 2);
    await stack.spawner.kill();
    await stack.startSpawner();
    expect(await waitForGeneration(stack, sessionId, 2)).toMatchObject({ restarts: 1, agentPid });
    expect(caller.hasStayed()).toBe(true);
    await caller.leave();
    await endAndForget(stack, sessionId);
  });

  test('an agent that dies while no spawner is there is started again by the next', async () => {
    const { sessionId, caller } = await startCall(stack);
    await stack.spawner.kill();
    await signalAgent(sessionId, 'SIGKILL');
    await stack.startSpawner();
    expect(await waitForGeneration(stack, sessionId, 2)).toMatchObject({ restarts: 1 });
    expect(caller.hasStayed()).toBe(true);
    await caller.leave();
    await endAndForget(stack, sessionId);
  });
});

describe('an agent that hangs', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: agent('obeys-signals.sh'),
      livekit,
      redis: { persistent: true },
      env: { AGENT_HUNG_AFTER: '1', AGENT_HEALTH_TIMEOUT: '2', TERMINATION_GRACE: '20' },
    });
  });
  afterAll(() => stack.stop());

  async function expectAnother(signal: NodeJS.Signals, why: string, limitMs: number): Promise<void> {
    const { sessionId, caller } = await startCall(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    const startedAt = performance.now();
    process.kill(agentPid, signal);
    await waitForGeneration(stack, sessionId, 2);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(limitMs);
    expect(isAlive(agentPid)).toBe(false);
    expect(stack.logs()).toMatch(new RegExp(`"pid":${agentPid}.*"why":"${why}"`));
    expect(await sessionOf(stack, sessionId)).toMatchObject({ restarts: 1 });
    expect(await eventsOf(stack, sessionId, 'restarting')).toEqual([{ cause: 'agent_hung', restarts: 1 }]);
    expect(caller.hasStayed()).toBe(true);
    await caller.leave();
    await endAtOnce(sessionId);
  }

  test('and is stopped is killed without grace, and started again into the same room', () =>
    expectAnother('SIGSTOP', 'it is stopped', 3500));

  test('and is silent on its health is killed without grace, and started again into the same room', () =>
    expectAnother('SIGHUP', 'it is silent on its health', 5000));

  /** The fixture leaves on SIGTERM at its next turn. */
  async function endAtOnce(sessionId: string): Promise<void> {
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  }

  test('and has no caller in its room ends its session as agent_hung', async () => {
    const sessionId = await startReady(stack);
    process.kill((await sessionOf(stack, sessionId)).agentPid, 'SIGSTOP');
    expect(await waitForStatus(stack, sessionId, 404, 4000)).toMatchObject({ endReason: 'agent_hung' });
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('is not taken for one by a spawner that was stopped itself, nor while Redis is away', async () => {
    const sessionId = await startReady(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    stack.spawner.pause();
    await sleep(4000);
    stack.spawner.resume();
    await sleep(1500);
    await stack.redis.kill();
    await sleep(4000);
    await stack.redis.restart();
    await sleep(1500);
    expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', restarts: 0, agentPid });
    await endAtOnce(sessionId);
  });

  test('while it is warm makes way for another', async () => {
    await resize(stack, 1);
    await waitForPool(stack, 1);
    const [hanging = ''] = await warmIds(stack);
    process.kill((await sessionOf(stack, hanging)).agentPid, 'SIGSTOP');
    expect(await waitForStatus(stack, hanging, 404, 4000)).toMatchObject({ endReason: 'agent_hung' });
    await waitForPool(stack, 1);
    expect(await warmIds(stack)).not.toContain(hanging);
    await resize(stack, 0);
    await waitFor(() => stack.agentProcesses().length === 0);
  });
});

/** Waits until the agent of this launch runs, ready or not: at its gate it would have no helper yet. */
async function waitForAgent(stack: TestStack, sessionId: string, generation: number) {
  await waitFor(async () => {
    const session = await sessionOf(stack, sessionId);
    return session.generation === generation && session.agentPid !== null && hasHelper(stack);
  });
  return sessionOf(stack, sessionId);
}

function hasHelper(stack: TestStack): boolean {
  return stack.agentProcesses().length >= 2;
}
