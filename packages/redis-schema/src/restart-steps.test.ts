import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { type LaunchRef, openRedis, type RedisSchema, type RestartCause } from './index.js';

const HOST = 'host-a';
const FACTS = { pid: 4242, pgid: 4242, startTime: '777', roomSid: 'RM_x', logFile: '/tmp/x.log' };
const FAILURE = {
  error: 'It exited.',
  lastLines: [],
  maxAttempts: 2,
  backoffMs: 1,
  holdoffBaseMs: 1,
  holdoffMaxMs: 1,
};

let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 0 }]);
  await heartbeat();
});
afterEach(() => schema.close());

function heartbeat(host = HOST, draining = false) {
  const fields = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 0 };
  return schema.hosts.heartbeat(host, { ...fields, draining });
}

async function claim(): Promise<LaunchRef> {
  serial += 1;
  const claim = await schema.sessions.claim({
    host: HOST,
    launch: `launch${serial}`,
    hostCapacity: 60,
    includePool: true,
  });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const { id: sessionId, generation, launch } = claim.session;
  const ref = { sessionId, generation, launch };
  await schema.sessions.commitLaunch(ref, FACTS);
  return ref;
}

async function launch(): Promise<LaunchRef> {
  const ref = await claim();
  await schema.sessions.markReady(ref, 100);
  return ref;
}

/** A call with a ready agent. */
async function startCall(): Promise<LaunchRef> {
  serial += 1;
  const sessionId = `session_${String(serial).padStart(24, '0')}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userId: `user${serial}`,
    userScope: '',
    trusted: true,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
  });
  return launch();
}

function restart(
  ref: LaunchRef,
  policy: { cause?: RestartCause; maxRestarts?: number; periodMs?: number } = {},
) {
  return schema.sessions.restart(ref, {
    cause: 'agent_crashed',
    maxRestarts: 3,
    periodMs: 60_000,
    ...policy,
  });
}

async function sessionOf(id: string) {
  const found = await schema.sessions.read(id);
  if (found.status !== 'live') throw new Error(`${id} is ${found.status}`);
  return found.session;
}

describe('a restart', () => {
  test('lists the same call for its next launch, on no host, with its deadline and its place', async () => {
    const ref = await startCall();
    const before = await sessionOf(ref.sessionId);
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    const after = await sessionOf(ref.sessionId);
    expect(after).toMatchObject({ status: 'restarting', restarts: 1, attempts: 0, mode: 'user' });
    expect(after).toMatchObject({ roomName: before.roomName, deadlineAt: before.deadlineAt, generation: 1 });
    expect([after.host, after.launch, after.agentPid, after.agentPgid]).toEqual(Array(4).fill(undefined));
    expect(await redis.command('EXISTS', `agent:${ref.sessionId}:pid`, `host:${HOST}:sessions`)).toBe(0);
    expect(await schema.health.read()).toMatchObject({ ready: 0, starting: 1, callers: 1 });
    expect(await launch()).toMatchObject({ sessionId: ref.sessionId, generation: 2 });
    expect(await sessionOf(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 1 });
  });

  test('asked for twice because an answer was lost, it is one restart, even when the next launch runs', async () => {
    const ref = await startCall();
    await restart(ref);
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    await launch();
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    expect(await sessionOf(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 1, generation: 2 });
  });

  test('is refused for an older launch, and for a call that is ending: the first cause wins', async () => {
    const first = await startCall();
    await restart(first);
    const second = await launch();
    await restart(second);
    expect(await restart(first)).toMatchObject({ status: 'superseded' });
    const third = await launch();
    await schema.sessions.requestEnd({ sessionId: third.sessionId, reason: 'caller_ended', by: 'caller' });
    expect(await restart(third)).toEqual({ status: 'superseded', now: 'ending' });
    expect(await sessionOf(third.sessionId)).toMatchObject({ status: 'ending', endReason: 'caller_ended' });
    expect(await restart({ ...third, sessionId: 'session_nobody' })).toMatchObject({ status: 'superseded' });
  });

  test('is bounded within the period, and only by what was the fault of the agent', async () => {
    let ref = await startCall();
    for (const cause of ['admin_restart', 'agent_crashed', 'admin_restart', 'agent_hung'] as const) {
      expect(await restart(ref, { cause, maxRestarts: 2 })).toEqual({ status: 'restarting' });
      ref = await launch();
    }
    expect(await restart(ref, { maxRestarts: 2 })).toEqual({ status: 'exhausted' });
    expect(await sessionOf(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 4 });
    expect(await restart(ref, { maxRestarts: 2, cause: 'admin_restart' })).toEqual({ status: 'restarting' });
    ref = await launch();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await restart(ref, { maxRestarts: 2, periodMs: 20 })).toEqual({ status: 'restarting' });
  });

  test('none is listed where nobody would launch it: on a draining host without another', async () => {
    const ref = await startCall();
    await heartbeat(HOST, true);
    expect(await restart(ref)).toEqual({ status: 'no_host' });
    await heartbeat('host-b');
    expect(await restart(ref)).toEqual({ status: 'restarting' });
  });

  test('a launch that fails is tried again, then the call shows why and holds nothing', async () => {
    const ref = await startCall();
    await restart(ref);
    expect(await schema.sessions.failLaunch(await claim(), FAILURE)).toMatchObject({ status: 'retry' });
    expect(await sessionOf(ref.sessionId)).toMatchObject({ status: 'restarting', attempts: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await schema.sessions.failLaunch(await claim(), FAILURE)).toEqual({ status: 'error' });
    expect(await sessionOf(ref.sessionId)).toMatchObject({
      status: 'error',
      error: 'It exited.',
      restarts: 1,
    });
    expect(await schema.health.read()).toMatchObject({ ready: 0, starting: 0, callers: 0 });
    expect(await redis.command('ZCARD', 'rooms:doomed')).toBe(1);
  });

  test('an end that is asked for while nobody has claimed it is the end at once', async () => {
    const ref = await startCall();
    await restart(ref);
    const { sessionId } = ref;
    expect(await schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' })).toEqual({
      status: 'gone',
    });
    expect(await redis.command('ZCARD', 'spawn:pending')).toBe(0);
    expect(await restart(ref)).toMatchObject({ status: 'superseded' });
  });

  test('that is asked for is about this launch only, and the sweep keeps the wish with its host', async () => {
    const first = await startCall();
    expect(await schema.sessions.requestRestart(first.sessionId)).toMatchObject({ status: 'restarting' });
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
    await redis.command('DEL', `host:${HOST}:restarting`);
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 1 });
    expect((await heartbeat()).restarting).toEqual([first.sessionId]);
    await restart(first, { cause: 'admin_restart' });
    expect((await heartbeat()).restarting).toEqual([]);
    await launch();
    expect((await sessionOf(first.sessionId)).restartRequested).toBeUndefined();
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
    expect((await heartbeat()).restarting).toEqual([]);
  });

  test('that was asked for before the agent was launched has been carried out, however late it is asked again', async () => {
    const first = await startCall();
    const askedAt = schema.clock.now();
    const wish = { launchedBefore: askedAt };
    expect(await schema.sessions.requestRestart(first.sessionId, wish)).toMatchObject({
      status: 'restarting',
    });
    expect((await heartbeat()).restarting).toEqual([first.sessionId]);
    await restart(first, { cause: 'admin_restart' });
    const second = await launch();
    await schema.sessions.markReady(second, 1);
    expect(await schema.sessions.requestRestart(first.sessionId, wish)).toMatchObject({
      status: 'restarting',
    });
    expect((await heartbeat()).restarting).toEqual([]);
  });

  test('the sweep finds nothing to repair in it, and puts back what was lost of it', async () => {
    const ref = await startCall();
    await restart(ref);
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
    await redis.command('ZREM', 'spawn:pending', ref.sessionId);
    await redis.command('SREM', 'session:starting', ref.sessionId);
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 1 });
    expect(await launch()).toMatchObject({ sessionId: ref.sessionId, generation: 2 });
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
  });
});
