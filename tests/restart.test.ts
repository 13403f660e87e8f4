import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  readCommandLine,
  readProcess,
  startLiveKit,
  startStack,
  type TestLiveKit,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { resize, warmIds } from './support/pool.js';
import { startSecondSpawner } from './support/second-spawner.js';
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

const AGENT = agent('numbers-its-lines.sh');
const GRACE_MS = 2000;
/** So long an agent that dies counts as one that dies at its hand-over. */
const HAND_OVER_MS = 2000;

let livekit: TestLiveKit;
beforeAll(async () => {
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());

/** Of an agent: its process, told from any other that ever had the pid. */
async function processOf(stack: TestStack, sessionId: string) {
  const { agentPid } = await sessionOf(stack, sessionId);
  return { pid: agentPid, startTime: readProcess(agentPid)?.startTime, isAlive: isAlive(agentPid) };
}

/** Past its gate, with its identity in Redis: what is killed from now on finds an agent that goes on. */
async function untilItRuns(stack: TestStack, sessionId: string): Promise<void> {
  await waitFor(async () => {
    const { agentPid } = await sessionOf(stack, sessionId);
    const command = agentPid > 0 ? readCommandLine(agentPid) : '';
    return command.includes(AGENT) && !command.includes('read -r go');
  });
}

async function numbersOf(stack: TestStack, sessionId: string): Promise<number[]> {
  const { body } = await stack.request('GET', `/api/session/${sessionId}/logs?tail=200`);
  return (body.lines as string[]).flatMap((line) => /^line (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

async function endAndForget(stack: TestStack, sessionId: string): Promise<void> {
  expect((await endSession(stack, sessionId)).status).toBe(202);
  await waitForStatus(stack, sessionId, 404);
  expect(await keysOf(stack, sessionId)).toEqual([]);
}

describe('kill -9 of the spawner', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: AGENT,
      livekit,
      env: { BOT_STARTUP_TIMEOUT: '4', SPAWN_ATTEMPTS: '1' },
    });
  });
  afterAll(() => stack.stop());

  test('calls and warm agents go on in the same processes; no line is lost or doubled; ends are noticed', async () => {
    await resize(stack, 1);
    await waitForPool(stack, 1);
    const first = await startReady(stack);
    await waitForPool(stack, 1);
    const second = await startReady(stack);
    const handedOverAt = performance.now();
    await waitForPool(stack, 1);
    const [warm = ''] = await warmIds(stack);
    const ids = [first, second, warm];
    await waitFor(async () => (await numbersOf(stack, first)).length > 20);
    const before = await Promise.all(ids.map((id) => processOf(stack, id)));
    const lastBefore = (await numbersOf(stack, first)).at(-1) ?? 0;

    await stack.spawner.kill();
    await sleep(500);
    await stack.startSpawner();

    expect(await Promise.all(ids.map((id) => processOf(stack, id)))).toEqual(before);
    expect((await health(stack)).sessions).toMatchObject({ ready: 2, pool: 1, starting: 0 });
    expect(await warmIds(stack)).toEqual([warm]);
    await waitFor(async () => ((await numbersOf(stack, first)).at(-1) ?? 0) > lastBefore + 50);
    const numbers = await numbersOf(stack, first);
    const from = numbers[0] ?? 0;
    expect(from).toBeLessThanOrEqual(lastBefore);
    expect(numbers).toEqual(numbers.map((_, i) => from + i));

    // One that dies at its hand-over is replaced, though nobody has joined it yet.
    await sleep(Math.max(0, handedOverAt + HAND_OVER_MS - performance.now()));
    process.kill(before[1]?.pid, 'SIGKILL');
    expect(await waitForStatus(stack, second, 404, 4000)).toMatchObject({ endReason: 'agent_crashed' });
    await resize(stack, 0);
    await endAndForget(stack, first);
    await waitForStatus(stack, warm, 404);
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('a start that comes while it is away is launched when it is back', async () => {
    await stack.spawner.kill();
    const sessionId = await startSession(stack);
    await stack.startSpawner();
    await waitForStatus(stack, sessionId, 'ready', 3000);
    await endAndForget(stack, sessionId);
  });

  test('an agent that is still starting goes on, and counts its time from the claim', async () => {
    const sessionId = await startSession(stack, { voiceId: 'slow' });
    await untilItRuns(stack, sessionId);
    await stack.spawner.kill();
    const before = await processOf(stack, sessionId);
    expect(before.isAlive).toBe(true);
    await stack.startSpawner();
    const session = await waitForStatus(stack, sessionId, 'ready', 5000);
    expect(await processOf(stack, sessionId)).toEqual(before);
    expect(session).toMatchObject({ generation: 1, restarts: 0 });
    expect(session.startupTime).toBeGreaterThan(1900);
    await endAndForget(stack, sessionId);
  });

  test('one that never gets ready is stopped at its original deadline', async () => {
    const startedAt = performance.now();
    const sessionId = await startSession(stack, { voiceId: 'never' });
    await untilItRuns(stack, sessionId);
    await sleep(1500);
    await stack.spawner.kill();
    await stack.startSpawner();
    await waitForStatus(stack, sessionId, 'error', 6000);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThan(3900);
    expect(tookMs).toBeLessThan(5400);
    expect(stack.agentProcesses()).toEqual([]);
  });

  test('one that got ready while nobody watched is ready on its return', async () => {
    const sessionId = await startSession(stack, { voiceId: 'slow' });
    await untilItRuns(stack, sessionId);
    await stack.spawner.kill();
    await sleep(2300);
    await stack.startSpawner();
    await waitForStatus(stack, sessionId, 'ready', 1500);
    await endAndForget(stack, sessionId);
  });

  test('an agent that died meanwhile ends its session, its helpers go, and one asked to end meanwhile ends', async () => {
    const [died, asked] = await Promise.all([startReady(stack), startReady(stack)]);
    const { agentPid } = await sessionOf(stack, died);
    await stack.spawner.kill();
    process.kill(agentPid, 'SIGKILL');
    expect((await endSession(stack, asked)).status).toBe(202);
    await sleep(200);
    // The helper of the dead one, and all of the other.
    expect(stack.agentProcesses().length).toBeGreaterThanOrEqual(3);
    await stack.startSpawner();
    expect(await waitForStatus(stack, died, 404, 5000)).toMatchObject({ endReason: 'agent_crashed' });
    expect(await waitForStatus(stack, asked, 404, 5000)).toMatchObject({ endReason: 'admin_ended' });
    await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: GRACE_MS + 1000 });
    expect([...(await keysOf(stack, died)), ...(await keysOf(stack, asked))]).toEqual([]);
    await waitFor(async () => (await stack.livekit.rooms.listRooms()).length === 0);
  });

  test('kill -9 of the api changes nothing for a call', async () => {
    const sessionId = await startReady(stack);
    const before = await processOf(stack, sessionId);
    await stack.api.kill();
    await stack.startApi();
    expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
    expect(await processOf(stack, sessionId)).toEqual(before);
    await endAndForget(stack, sessionId);
  });

  test('an agent that is still starting takes one of SPAWN_CONCURRENCY: the next one waits for it', async () => {
    const first = await startSession(stack, { voiceId: 'slow' });
    await untilItRuns(stack, first);
    const { pid } = await processOf(stack, first);
    await stack.spawner.kill();
    process.kill(pid, 'SIGSTOP');
    const next = await startSession(stack);
    await stack.startSpawner({ SPAWN_CONCURRENCY: '1' });
    await sleep(300);
    expect(await stack.redis.command('ZRANGE', 'spawn:pending', '0', '-1')).toEqual([next]);
    process.kill(pid, 'SIGCONT');
    for (const id of [first, next]) await waitForStatus(stack, id, 'ready', 5000);
    for (const id of [first, next]) await endAndForget(stack, id);
  });
});

describe('SIGTERM to the spawner', () => {
  let stack: TestStack;
  beforeAll(async () => {
    // Without a line, a start waits for a host that is full where hosts look for it.
    stack = await startStack({ agentCommand: AGENT, livekit, env: { POOL_TARGET: '1', QUEUE_MAX: '0' } });
  });
  afterAll(() => stack.stop());

  async function terminate(): Promise<{ code: number | null; tookMs: number }> {
    const startedAt = performance.now();
    stack.spawner.signal('SIGTERM');
    const { code } = await stack.spawner.exited;
    return { code, tookMs: performance.now() - startedAt };
  }

  test('as a handover: it leaves within 5 s, agents stay, and the successor adopts them', async () => {
    await stack.spawner.stop();
    await stack.startSpawner({ SHUTDOWN_MODE: 'handover' });
    await waitForPool(stack, 1);
    const call = await startReady(stack);
    await waitForPool(stack, 1);
    const ids = [call, ...(await warmIds(stack))];
    const before = await Promise.all(ids.map((id) => processOf(stack, id)));
    const { code, tookMs } = await terminate();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(5000);
    expect(before.every(({ pid }) => isAlive(pid))).toBe(true);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready' });
    await stack.startSpawner({ SHUTDOWN_MODE: 'drain', DRAIN_TIMEOUT: '1' });
    expect(await Promise.all(ids.map((id) => processOf(stack, id)))).toEqual(before);
    await endAndForget(stack, call);
  });

  test('as a drain: warm agents end at once, calls when the time is over, and nothing is left', async () => {
    await waitForPool(stack, 1);
    const call = await startReady(stack);
    await waitForPool(stack, 1);
    const [warm = ''] = await warmIds(stack);
    const { pid } = await processOf(stack, call);
    const leaving = terminate();
    await waitForStatus(stack, warm, 404, 900);
    expect(isAlive(pid)).toBe(true);
    const { code, tookMs } = await leaving;
    expect(code).toBe(0);
    expect(tookMs).toBeGreaterThan(950);
    expect(tookMs).toBeLessThan(4000);
    expect(stack.agentProcesses()).toEqual([]);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 404, endReason: 'host_drained' });
    expect(await stack.redis.command('EXISTS', 'host:test-host', 'host:test-host:sessions')).toBe(0);
  });

  test('as a drain without patience, all end at once; a start in progress too', async () => {
    await stack.startSpawner({ DRAIN_TIMEOUT: '0' });
    await resize(stack, 0);
    await waitForPool(stack, 0);
    const call = await startReady(stack);
    const starting = await startSession(stack, { voiceId: 'never' });
    await waitFor(async () => (await sessionOf(stack, starting)).agentPid !== null);
    const { code, tookMs } = await terminate();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(3500);
    expect(stack.agentProcesses()).toEqual([]);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
    for (const id of [call, starting]) {
      expect(await sessionOf(stack, id)).toMatchObject({ status: 404, endReason: 'host_drained' });
    }
  });

  test('a start that nobody has claimed is ended with the last spawner, not launched for nobody later', async () => {
    await stack.startSpawner({ DRAIN_TIMEOUT: '0' });
    await redisHoldsBack(stack);
    const unclaimed = await startSession(stack);
    await terminate();
    expect(await sessionOf(stack, unclaimed)).toMatchObject({ status: 404, endReason: 'host_drained' });
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
    expect(await stack.redis.command('ZCARD', 'spawn:pending')).toBe(0);
    await stack.redis.command('DEL', 'host:test-host:sessions');
  });

  test('before it is up, because Redis is away, it leaves with 0', async () => {
    await stack.redis.kill();
    const spawner = await startSecondSpawner(stack, {}, { line: /spawner listening/ });
    try {
      await spawner.waitForLine(/waiting for Redis/);
      expect(await spawner.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await spawner.stop();
    }
    await stack.redis.restart();
  });
});

/** The host counts as full, so that nothing is claimed. */
async function redisHoldsBack({ redis }: TestStack): Promise<void> {
  const ghosts = Array.from({ length: 60 }, (_, i) => `session_${String(i).padStart(24, 'x')}`);
  await redis.command('SADD', 'host:test-host:sessions', ...ghosts);
}

describe('Redis away', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: AGENT,
      livekit,
      redis: { persistent: true },
      env: { POOL_TARGET: '1' },
    });
  });
  afterAll(() => stack.stop());

  test('for 5 s ends nothing; with its data back, calls go on, no line is missing, and ends work', async () => {
    await waitForPool(stack, 1);
    const call = await startReady(stack);
    await waitForPool(stack, 1);
    const [warm = ''] = await warmIds(stack);
    await waitFor(async () => (await numbersOf(stack, call)).length > 20);
    const before = await Promise.all([call, warm].map((id) => processOf(stack, id)));
    const lastBefore = (await numbersOf(stack, call)).at(-1) ?? 0;
    await stack.redis.kill();
    await sleep(5000);
    expect(before.every(({ pid }) => isAlive(pid))).toBe(true);
    expect((await stack.request('GET', '/api/health')).status).toBe(503);
    await stack.redis.restart();
    await waitFor(async () => (await stack.request('GET', '/readyz')).status === 200);
    expect(await Promise.all([call, warm].map((id) => processOf(stack, id)))).toEqual(before);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready', restarts: 0 });
    // 5 s are 250 lines: more than are kept, and they come in one burst.
    await waitFor(async () => ((await numbersOf(stack, call)).at(-1) ?? 0) > lastBefore + 250);
    const numbers = await numbersOf(stack, call);
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
    // It may have lost its last second of writes, and the warm agent may have been given to a caller in it.
    expect((await stack.request('POST', '/api/session/start', {})).body.code).toBe('recovering');
    await endAndForget(stack, call);
    expect(await waitForStatus(stack, warm, 404, 20_000)).toMatchObject({ endReason: 'state_lost' });
    await waitForPool(stack, 1);
    const next = await startSession(stack);
    expect(next).not.toBe(warm);
    await endAndForget(stack, next);
  });

  test('an agent that died meanwhile ends its session when Redis is back', async () => {
    await waitForPool(stack, 1);
    const call = await startReady(stack);
    const { agentPid } = await sessionOf(stack, call);
    // One that goes at its hand-over, with its caller on the way, is started again.
    await sleep(2100);
    await stack.redis.kill();
    process.kill(agentPid, 'SIGKILL');
    await sleep(500);
    await stack.redis.restart();
    expect(await waitForStatus(stack, call, 404, 8000)).toMatchObject({ endReason: 'agent_crashed' });
  });
});

test('a call’s deadline holds while Redis is away', async () => {
  const stack = await startStack({
    agentCommand: AGENT,
    livekit,
    redis: { persistent: true },
    env: { HEALTH_CHECK_INTERVAL: '0.5' },
  });
  try {
    const call = await startReady(stack);
    const { roomName } = await sessionOf(stack, call);
    const deadlineAt = Date.now() + 3000;
    await stack.redis.command('HSET', `session:${call}`, 'deadlineAt', deadlineAt);
    // A health check hears of it.
    await sleep(1000);
    await stack.redis.kill();
    await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: 3000 + GRACE_MS });
    expect(Date.now()).toBeGreaterThan(deadlineAt);
    await waitFor(async () => (await livekit.rooms.listRooms([roomName])).length === 0, { timeoutMs: 1000 });
    await stack.redis.restart();
    expect(await waitForStatus(stack, call, 404, 8000)).toMatchObject({ endReason: 'session_timeout' });
  } finally {
    await stack.stop();
  }
});
