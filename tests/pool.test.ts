import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  baseEnvironment,
  isAlive,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { poolOf, resize, warmIds } from './support/pool.js';
import { startSecondSpawner } from './support/second-spawner.js';
import {
  endSession,
  health,
  sessionOf,
  startReady,
  startSession,
  waitForPool,
  waitForStatus,
} from './support/sessions.js';

describe('a pool', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({ agentCommand: agent('ready-then-waits.sh'), env: { POOL_TARGET: '2' } });
  });
  afterAll(() => stack.stop());

  test('is filled to its target at the start, and not beyond', async () => {
    await waitForPool(stack, 2);
    await sleep(300);
    expect(await poolOf(stack)).toEqual({ target: 2, ready: 2, warming: 0 });
    expect((await health(stack)).stats.totalSpawned).toBe(2);
  });

  test('is refilled at once when an agent is given away, long before the safety net looks', async () => {
    await waitForPool(stack, 2);
    const before = await warmIds(stack);
    const startedAt = performance.now();
    const sessionId = await startSession(stack);
    expect(before).toContain(sessionId);
    await waitFor(async () => (await warmIds(stack)).length === 2, { timeoutMs: 5000 });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(await warmIds(stack)).not.toContain(sessionId);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
    expect(await poolOf(stack)).toEqual({ target: 2, ready: 2, warming: 0 });
  });

  test('grows when it is resized, and shrinks by idle warm agents only', async () => {
    const call = await startReady(stack);
    expect(call).toMatch(/^prewarm_/);
    expect(await resize(stack, 4)).toMatchObject({ target: 4, previous: 2 });
    await waitForPool(stack, 4);
    expect(await resize(stack, 0)).toMatchObject({ target: 0, previous: 4 });
    await waitForPool(stack, 0);
    const { agentPid } = await sessionOf(stack, call);
    await waitFor(() => stack.agentProcesses().every(({ pgid }) => pgid === agentPid));
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready' });
    expect(await poolOf(stack)).toEqual({ target: 0, ready: 0, warming: 0 });
    await endSession(stack, call);
    await waitForStatus(stack, call, 404);
    await resize(stack, 2);
    await waitForPool(stack, 2);
  });

  test('has a warm agent that died replaced, without ever handing it out', async () => {
    await waitForPool(stack, 2);
    const [dead = '', other = ''] = await warmIds(stack);
    const { agentPid } = await sessionOf(stack, dead);
    process.kill(agentPid, 'SIGKILL');
    await waitFor(async () => !(await warmIds(stack)).includes(dead), { timeoutMs: 1000 });
    await waitForPool(stack, 2, 8000);
    expect(await warmIds(stack)).toContain(other);
    expect(await sessionOf(stack, dead)).toMatchObject({ status: 404, endReason: 'agent_crashed' });
  });

  test('two spawners that refill at the same time never launch more than the target', async () => {
    await waitForPool(stack, 2);
    await stack.spawner.stop();
    await stack.startSpawner({ POOL_REFILL_INTERVAL: '0.1' });
    await waitForPool(stack, 2);
    const second = await startSecondSpawner(stack, { POOL_REFILL_INTERVAL: '0.1' });
    try {
      const before = (await health(stack)).stats.totalSpawned;
      await resize(stack, 12);
      await waitForPool(stack, 12, 20_000);
      await sleep(500);
      expect((await health(stack)).stats.totalSpawned - before).toBe(10);
      expect(await poolOf(stack)).toEqual({ target: 12, ready: 12, warming: 0 });
      await resize(stack, 2);
      await waitForPool(stack, 2);
    } finally {
      await second.stop();
    }
  });

  test('keeps an operator’s size over a restart, until POOL_TARGET itself is changed', async () => {
    await resize(stack, 1);
    await stack.spawner.stop();
    await stack.startSpawner();
    await waitForPool(stack, 1);
    expect((await poolOf(stack)).target).toBe(1);
    await stack.spawner.stop();
    await stack.startSpawner({ POOL_TARGET: '3' });
    await waitForPool(stack, 3);
    expect((await poolOf(stack)).target).toBe(3);
  });
});

test('what nobody was told of is found by the safety net', async () => {
  const stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { POOL_TARGET: '1', POOL_REFILL_INTERVAL: '1' },
  });
  try {
    await waitForPool(stack, 1);
    await stack.redis.command('SET', 'pool:target', '2');
    await waitForPool(stack, 2, 3000);
    const [lost = ''] = await warmIds(stack);
    await stack.redis.command('SREM', 'pool:ready', lost);
    await waitForPool(stack, 2, 3000);
    expect(await warmIds(stack)).not.toContain(lost);
  } finally {
    await stack.stop();
  }
});

test('a warm agent that died is not handed out while its children are being stopped', async () => {
  const stack = await startStack({
    agentCommand: agent('ignores-sigterm.sh'),
    env: { POOL_TARGET: '1', TERMINATION_GRACE: '1' },
  });
  try {
    await waitForPool(stack, 1);
    const [dead = ''] = await warmIds(stack);
    const { agentPid } = await sessionOf(stack, dead);
    process.kill(agentPid, 'SIGKILL');
    await sleep(300);
    expect(stack.agentProcesses().length).toBeGreaterThan(0);
    const answer = await stack.request('POST', '/api/session/start', {});
    expect(answer.body.sessionId).not.toBe(dead);
  } finally {
    await stack.stop();
  }
});

test('warm agents that are too old are replaced; one that is in a call is not', async () => {
  const stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { POOL_TARGET: '2', WARM_MAX_AGE: '3' },
  });
  try {
    await waitForPool(stack, 2);
    const young = await warmIds(stack);
    const call = await startSession(stack);
    const { agentPid } = await sessionOf(stack, call);
    const idle = young.find((id) => id !== call) ?? '';
    const retired = await waitForStatus(stack, idle, 404, 6000);
    expect(retired.endReason).toBe('warm_agent_retired');
    expect(retired.durationMs).toBeGreaterThan(2900);
    await waitForPool(stack, 2);
    expect(await warmIds(stack)).not.toContain(idle);
    // Those that come after get too old as well, and each has a successor before it leaves.
    const seen = new Set<string>();
    for (const until = performance.now() + 4000; performance.now() < until; await sleep(20)) {
      const now = await warmIds(stack);
      expect(now).toHaveLength(2);
      for (const id of now) seen.add(id);
    }
    expect(seen.size).toBeGreaterThan(2);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready', agentPid });
    expect(isAlive(agentPid)).toBe(true);
  } finally {
    await stack.stop();
  }
});

test('a pool whose agents cannot start backs off, and callers’ starts still get through', async () => {
  const stack = await startStack({
    agentCommand: agent('fails-when-warm.sh'),
    env: { POOL_TARGET: '2', SPAWN_ATTEMPTS: '1' },
  });
  try {
    const startedAt = performance.now();
    for (let calls = 0; calls < 4; calls += 1) {
      await startReady(stack, {}, 2000);
      await sleep(1000);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const warmLaunches = (await health(stack)).stats.totalSpawned - 4;
    // Two at a time, and each that fails doubles the wait: at once, after 2 s, after another 8 s.
    expect(warmLaunches).toBeGreaterThan(2);
    expect(warmLaunches).toBeLessThanOrEqual(seconds < 9 ? 4 : 6);
    expect((await health(stack)).sessions).toMatchObject({ ready: 4, pool: 0 });
  } finally {
    await stack.stop();
  }
});

test('with two launches at a time a caller is launched before the warm agents that were listed earlier', async () => {
  const stack = await startStack({
    agentCommand: agent('takes-a-while.sh'),
    env: { POOL_TARGET: '6', SPAWN_CONCURRENCY: '2' },
  });
  try {
    await waitFor(async () => (await poolOf(stack)).warming >= 5);
    const startedAt = performance.now();
    const first = await startSession(stack);
    const second = await startSession(stack);
    expect([first, second].some((id) => id.startsWith('session_'))).toBe(true);
    await Promise.all([first, second].map((id) => waitForStatus(stack, id, 'ready')));
    // Each alone takes 0.7 s; behind the six it would be four.
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect((await poolOf(stack)).warming).toBeGreaterThanOrEqual(2);
  } finally {
    await stack.stop();
  }
});

test('an idle warm agent makes room on a full host for a caller who waits', async () => {
  const stack = await startStack({
    agentCommand: agent('takes-a-while.sh'),
    env: { POOL_TARGET: '2', HOST_CAPACITY: '2', SPAWN_CONCURRENCY: '4' },
  });
  try {
    // The host is full of agents that nobody can have yet.
    await waitFor(async () => Number(await stack.redis.command('SCARD', 'host:test-host:sessions')) === 2);
    const sessionId = await startSession(stack);
    expect(sessionId).toMatch(/^session_/);
    await waitForStatus(stack, sessionId, 'ready', 8000);
  } finally {
    await stack.stop();
  }
});

test('a warm agent that has waited longer than LiveKit’s empty timeout still takes a call', async () => {
  const stack = await startStack({
    agentCommand: agent('joins-room.mjs'),
    env: { POOL_TARGET: '1' },
    livekit: { emptyTimeout: 3, departureTimeout: 3 },
  });
  try {
    await waitForPool(stack, 1, 20_000);
    const [warm = ''] = await warmIds(stack);
    const { roomName } = await sessionOf(stack, warm);
    const sidBefore = (await stack.livekit.rooms.listRooms([roomName]))[0]?.sid;
    await sleep(6500);
    const { body } = await stack.request('POST', '/api/session/start', {});
    expect(body).toMatchObject({ sessionId: warm, status: 'ready', prewarmed: true, roomName });
    // The fixture only joins with the token it is given, so it will do for a caller.
    const [command = '', script = ''] = agent('joins-room.mjs').split(' ');
    const caller = await startProcess({
      name: 'caller',
      command,
      args: [script],
      env: { ...baseEnvironment(), LIVEKIT_URL: body.livekitUrl, LIVEKIT_TOKEN: body.token },
    });
    try {
      await waitFor(async () => (await kindsIn(stack, roomName)).length === 2);
      await sleep(4000);
      expect(await kindsIn(stack, roomName)).toEqual([0, 4]);
      expect((await stack.livekit.rooms.listRooms([roomName]))[0]?.sid).toBe(sidBefore);
      expect(caller.isRunning()).toBe(true);
    } finally {
      await caller.stop();
    }
  } finally {
    await stack.stop();
  }
});

/** Of the participants that LiveKit calls active: 0 is a person, 4 an agent. */
async function kindsIn(stack: TestStack, roomName: string): Promise<number[]> {
  const participants = await stack.livekit.rooms.listParticipants(roomName);
  const active = participants.filter((it) => it.state === 2);
  return active.map((it): number => it.kind).sort((a, b) => a - b);
}
