import { existsSync } from 'node:fs';
import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { roomMetadata, roomNameOf } from '@greenroom/contracts';
import { isAlive, startProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { poolOf } from './support/pool.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from './support/sessions.js';

const HOST = 'test-host';
/** Two sweeps are certainly over. */
const TWO_SWEEPS_MS = 1500;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { STALE_SWEEP_INTERVAL: '0.5', HEALTH_CHECK_INTERVAL: '1', LOG_RETENTION_DAYS: '1' },
  });
});
afterAll(() => stack.stop());

const redis = (...args: (string | number)[]) => stack.redis.command(...args);

describe('indexes', () => {
  test('members without a session are dropped, wherever they stand', async () => {
    const ghost = 'session_ghostghostghostghost';
    const sets = [
      'session:ready',
      'session:starting',
      'sessions:callers',
      'sessions:ending',
      'pool:ready',
      `host:${HOST}:sessions`,
      `host:${HOST}:ending`,
    ];
    const sorted = ['sessions:index', 'sessions:deadlines', 'spawn:pending'];
    for (const key of sets) await redis('SADD', key, ghost);
    for (const key of sorted) await redis('ZADD', key, 9e15, ghost);
    await waitFor(
      async () => {
        const left = await Promise.all([
          ...sets.map((key) => redis('SISMEMBER', key, ghost)),
          ...sorted.map(async (key) => ((await redis('ZSCORE', key, ghost)) === null ? 0 : 1)),
        ]);
        return left.every((it) => it === 0);
      },
      { timeoutMs: 4000 },
    );
  });

  test('a call that fell out of the index of its state is put back, and goes on', async () => {
    const sessionId = await startReady(stack);
    await redis('SREM', 'session:ready', sessionId);
    await redis('SADD', 'session:starting', sessionId);
    await waitFor(async () => (await redis('SISMEMBER', 'session:ready', sessionId)) === 1, {
      timeoutMs: 4000,
    });
    expect(await redis('SISMEMBER', 'session:starting', sessionId)).toBe(0);
    expect((await sessionOf(stack, sessionId)).status).toBe('ready');
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  });
});

describe('sessions and processes that lost each other', () => {
  test('an agent whose session is gone is stopped, and its room and keys go with it', async () => {
    const sessionId = await startReady(stack);
    const { agentPid, roomName } = await sessionOf(stack, sessionId);
    await redis('DEL', `session:${sessionId}`);
    await waitFor(() => !isAlive(agentPid), { timeoutMs: 5000 });
    await waitFor(async () => (await stack.livekit.rooms.listRooms([roomName])).length === 0, {
      timeoutMs: 5000,
    });
    await waitFor(async () => (await keysOf(stack, sessionId)).length === 0, { timeoutMs: 3000 });
    await waitFor(() => stack.agentProcesses().length === 0);
  });

  test('a process of ours that no session knows is stopped; one of another spawner is not', async () => {
    const prefix = (await readFile(path.join(stack.stateDir, 'launch-prefix'), 'utf8')).trim();
    const stray = (launch: string) =>
      startProcess({
        command: 'sleep',
        args: ['600'],
        env: { PATH: '/usr/bin:/bin', GREENROOM_LAUNCH: launch },
      });
    const [ours, theirs] = await Promise.all([stray(`${prefix}-stray`), stray('0123456789abcdef-stray')]);
    try {
      await waitFor(() => !ours.isRunning(), { timeoutMs: 5000 });
      await sleep(1000);
      expect(theirs.isRunning()).toBe(true);
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  });

  test('a call that this host claims to serve, without any process, is ended', async () => {
    const sessionId = await forge({ status: 'ready', generation: '1', agentPid: '999999' });
    const gone = await waitForStatus(stack, sessionId, 404, 5000);
    expect(gone.endReason).toBe('agent_crashed');
    expect(await keysOf(stack, sessionId)).toEqual([]);
  });

  test('a start that this host claimed and never launched is tried again, or failed when it was the last attempt', async () => {
    const again = await forge({ status: 'starting', generation: '1', attempts: '0' });
    const last = await forge({ status: 'starting', generation: '4', attempts: '3' });
    expect((await waitForStatus(stack, again, 'ready', 8000)).generation).toBe(2);
    expect((await waitForStatus(stack, last, 'error', 5000)).error).toMatch(/spawner was restarted/);
    await endSession(stack, again);
    await waitForStatus(stack, again, 404);
  });

  /** A session as Redis would hold it if the spawner had forgotten it. */
  async function forge(fields: Record<string, string>): Promise<string> {
    const sessionId = `session_forged${Math.random().toString(36).slice(2).padEnd(20, 'x')}`;
    const all: Record<string, string> = {
      owner: 'caller',
      mode: 'user',
      profile: 'default',
      prewarmed: '0',
      roomName: roomNameOf(sessionId),
      host: HOST,
      launch: 'forgotten',
      attempts: '0',
      restarts: '0',
      createdAt: String(Date.now()),
      assignedAt: String(Date.now()),
      deadlineAt: String(Date.now() + 60_000),
      ttlMs: '60000',
      ...fields,
    };
    // The host's own list is repaired from the hash, in the same sweep.
    await redis('HSET', `session:${sessionId}`, ...Object.entries(all).flat());
    await redis('ZADD', 'sessions:index', Date.now(), sessionId);
    return sessionId;
  }
});

describe('deadlines', () => {
  // A health check would bring the deadline to the local timer first.
  beforeAll(() => restartWith({ HEALTH_CHECK_INTERVAL: '60' }));
  afterAll(() => restartWith({ HEALTH_CHECK_INTERVAL: '1' }));

  async function restartWith(env: Record<string, string>): Promise<void> {
    await stack.spawner.stop();
    await stack.startSpawner(env);
  }

  test('a call past its deadline is ended though its own timer never fires', async () => {
    const sessionId = await startReady(stack);
    const { agentPid } = await sessionOf(stack, sessionId);
    await redis('HSET', `session:${sessionId}`, 'deadlineAt', Date.now() - 1);
    await redis('ZADD', 'sessions:deadlines', Date.now() - 1, sessionId);
    const gone = await waitForStatus(stack, sessionId, 404, 5000);
    expect(gone.endReason).toBe('session_timeout');
    expect(isAlive(agentPid)).toBe(false);
  });

  test('an index that says too early, or nothing, of a deadline ends no call and is put right', async () => {
    const sessionId = await startReady(stack);
    const { deadlineAt } = await sessionOf(stack, sessionId);
    await redis('ZADD', 'sessions:deadlines', 1, sessionId);
    const isRight = async () =>
      Number(await redis('ZSCORE', 'sessions:deadlines', sessionId)) === Date.parse(deadlineAt);
    await waitFor(isRight, { timeoutMs: 4000 });
    await redis('ZREM', 'sessions:deadlines', sessionId);
    await waitFor(isRight, { timeoutMs: 4000 });
    expect((await sessionOf(stack, sessionId)).status).toBe('ready');
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  });
});

describe('rooms', () => {
  const nobody = 'session_nobodynobodynobodyno';

  test('ours without a session is deleted; one without our mark or of another deployment is never touched', async () => {
    const deployment = String(await redis('GET', 'deployment'));
    const call = await startReady(stack);
    const { rooms } = stack.livekit;
    const create = (name: string, metadata: string) =>
      rooms.createRoom({ name, metadata, emptyTimeout: 600 });
    await create('left-over', roomMetadata({ sessionId: nobody, deployment }));
    await create('of-somebody-else', '');
    await create(roomNameOf(nobody), 'our kind of name, but no mark');
    await create('of-our-neighbours', roomMetadata({ sessionId: nobody, deployment: 'another' }));
    const names = async () => (await rooms.listRooms()).map((room) => room.name).sort();
    await waitFor(async () => !(await names()).includes('left-over'), { timeoutMs: 4000 });
    await sleep(TWO_SWEEPS_MS);
    expect(await names()).toEqual(
      ['of-our-neighbours', 'of-somebody-else', roomNameOf(call), roomNameOf(nobody)].sort(),
    );
    for (const name of ['of-our-neighbours', 'of-somebody-else', roomNameOf(nobody)])
      await rooms.deleteRoom(name);
    await endSession(stack, call);
    await waitForStatus(stack, call, 404);
  });
});

describe('when the data of Redis is lost', () => {
  test.each([
    ['there is no epoch', () => redis('DEL', 'epoch')],
    ['there is another epoch', () => redis('SET', 'epoch', '1234567890123')],
  ])('nothing is touched while %s, and the call is published again', async (_, loseEpoch) => {
    const sessionId = await startReady(stack);
    const { agentPid, roomName } = await sessionOf(stack, sessionId);
    await loseEpoch();
    await redis('DEL', `session:${sessionId}`);
    await redis('ZADD', 'sessions:index', 1, sessionId);
    await sleep(TWO_SWEEPS_MS);
    expect(isAlive(agentPid)).toBe(true);
    expect(await stack.livekit.rooms.listRooms([roomName])).toHaveLength(1);
    await waitForStatus(stack, sessionId, 'ready', 6000);
    await waitFor(async () => String(await redis('GET', 'epoch')).includes('-'), { timeoutMs: 16_000 });
    await sleep(TWO_SWEEPS_MS);
    expect(isAlive(agentPid)).toBe(true);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
    await waitFor(async () => (await keysOf(stack, sessionId)).length === 0, { timeoutMs: 5000 });
  });
});

describe('files', () => {
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
  const inState = (...parts: string[]) => path.join(stack.stateDir, ...parts);

  test('old agent logs are deleted; young ones, and those in use, stay', async () => {
    const sessionId = await startReady(stack);
    const { logFile } = await sessionOf(stack, sessionId);
    const old = inState('agents', 'session_longagolongagolonga-g1.log');
    const young = inState('agents', 'session_todaytodaytodaytod-g1.log');
    const foreign = inState('agents', 'notes.txt');
    // When its lines were printed goes with it.
    const oldTimes = inState('agents', 'session_longagolongagolonga-g1.times');
    const liveTimes = logFile.replace('.log', '.times');
    for (const file of [old, oldTimes, young, foreign]) await writeFile(file, 'x\n');
    await waitFor(() => existsSync(liveTimes));
    for (const file of [old, oldTimes, foreign, logFile, liveTimes])
      await utimes(file, twoDaysAgo, twoDaysAgo);
    await waitFor(() => !existsSync(old) && !existsSync(oldTimes), { timeoutMs: 4000 });
    await sleep(TWO_SWEEPS_MS);
    expect([young, foreign, logFile, liveTimes].map((file) => existsSync(file))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  });

  test('what a crash has left of what people said is erased', async () => {
    const sessionId = await startReady(stack);
    const left = inState('events', 'session_crashedcrashedcras-g1.jsonl');
    const live = inState('events', `${sessionId}-g1.jsonl`);
    for (const file of [left, live]) {
      await appendFile(file, '');
      await utimes(file, twoDaysAgo, twoDaysAgo);
    }
    await waitFor(() => !existsSync(left), { timeoutMs: 4000 });
    await sleep(TWO_SWEEPS_MS);
    expect(existsSync(live)).toBe(true);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
    expect(existsSync(live)).toBe(false);
  });
});

describe('health checks', () => {
  test('write what an agent uses, and keep its keys alive, call or warm', async () => {
    await stack.request('POST', '/api/pool/resize', { size: 1 });
    await waitFor(async () => (await poolOf(stack)).ready === 1);
    const [warm = ''] = (await redis('SMEMBERS', 'pool:ready')) as string[];
    const call = await startSession(stack);
    expect(call).toBe(warm);
    await waitFor(async () => (await poolOf(stack)).ready === 1);
    const [idle = ''] = (await redis('SMEMBERS', 'pool:ready')) as string[];
    for (const id of [call, idle]) {
      for (const key of [`session:${id}`, `agent:${id}:pid`]) await redis('EXPIRE', key, 2);
      await waitFor(async () => (await redis('EXISTS', `agent:${id}:health`)) === 1, { timeoutMs: 4000 });
    }
    await sleep(2500);
    for (const id of [call, idle]) {
      for (const key of [`session:${id}`, `agent:${id}:pid`, `agent:${id}:health`]) {
        expect([key, Number(await redis('TTL', key)) > 14_000]).toEqual([key, true]);
      }
      const health = await readHash(`agent:${id}:health`);
      expect(health.status).toBe('alive');
      // The shell and its sleep.
      expect(health.processes).toBe('2');
      expect(Number(health.rss)).toBeGreaterThan(500_000);
      expect(health.cpu).toMatch(/^\d+\.\d\d$/);
      expect(Date.now() - Number(health.last_check)).toBeLessThan(3000);
    }
    await stack.request('POST', '/api/pool/resize', { size: 0 });
    await endSession(stack, call);
    await waitForStatus(stack, call, 404);
  });
});

async function readHash(key: string): Promise<Record<string, string>> {
  const flat = (await redis('HGETALL', key)) as string[];
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : [])));
}
