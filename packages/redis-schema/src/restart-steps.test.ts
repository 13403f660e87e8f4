import { describe, expect, test } from '@jest/globals';
import type { LaunchRef, RestartCause } from './index.js';
import {
  addHost,
  HOST,
  heartbeat,
  launch,
  liveSession,
  newId,
  redis,
  schema,
  spawn,
  startedId,
  useRedis,
} from './testing/steps.js';

const FAILURE = {
  error: 'It exited.',
  lastLines: [],
  maxAttempts: 2,
  backoffMs: 1,
  holdoffBaseMs: 1,
  holdoffMaxMs: 1,
};

useRedis(() => addHost());

/** A call of a user with a ready agent. */
async function startCall(): Promise<LaunchRef> {
  const sessionId = newId();
  await startedId({ sessionId, userId: `user of ${sessionId}` });
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

describe('a restart', () => {
  test('lists the same call for its next launch, on no host, with its deadline and its place', async () => {
    const ref = await startCall();
    const before = await liveSession(ref.sessionId);
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    const after = await liveSession(ref.sessionId);
    expect(after).toMatchObject({ status: 'restarting', restarts: 1, attempts: 0, mode: 'user' });
    expect(after).toMatchObject({ roomName: before.roomName, deadlineAt: before.deadlineAt, generation: 1 });
    expect([after.host, after.launch, after.agentPid, after.agentPgid]).toEqual(Array(4).fill(undefined));
    expect(await redis.command('EXISTS', `agent:${ref.sessionId}:pid`, `host:${HOST}:sessions`)).toBe(0);
    expect(await schema.health.read()).toMatchObject({ ready: 0, starting: 1, callers: 1 });
    expect(await launch()).toMatchObject({ sessionId: ref.sessionId, generation: 2 });
    expect(await liveSession(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 1 });
  });

  test('asked for twice because an answer was lost, it is one restart, even when the next launch runs', async () => {
    const ref = await startCall();
    await restart(ref);
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    await launch();
    expect(await restart(ref)).toEqual({ status: 'restarting' });
    expect(await liveSession(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 1, generation: 2 });
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
    expect(await liveSession(third.sessionId)).toMatchObject({ status: 'ending', endReason: 'caller_ended' });
    expect(await restart({ ...third, sessionId: 'session_nobody' })).toMatchObject({ status: 'superseded' });
  });

  test('is bounded within the period, and only by what was the fault of the agent', async () => {
    let ref = await startCall();
    for (const cause of ['admin_restart', 'agent_crashed', 'admin_restart', 'agent_hung'] as const) {
      expect(await restart(ref, { cause, maxRestarts: 2 })).toEqual({ status: 'restarting' });
      ref = await launch();
    }
    expect(await restart(ref, { maxRestarts: 2 })).toEqual({ status: 'exhausted' });
    expect(await liveSession(ref.sessionId)).toMatchObject({ status: 'ready', restarts: 4 });
    expect(await restart(ref, { maxRestarts: 2, cause: 'admin_restart' })).toEqual({ status: 'restarting' });
    ref = await launch();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await restart(ref, { maxRestarts: 2, periodMs: 20 })).toEqual({ status: 'restarting' });
  });

  test('none is listed where nobody would launch it: on a draining host without another', async () => {
    const ref = await startCall();
    await heartbeat(HOST, { draining: true });
    expect(await restart(ref)).toEqual({ status: 'no_host' });
    await heartbeat('host-b');
    expect(await restart(ref)).toEqual({ status: 'restarting' });
  });

  test('a launch that fails is tried again, then the call shows why and holds nothing', async () => {
    const ref = await startCall();
    await restart(ref);
    expect(await schema.sessions.failLaunch(await spawn(), FAILURE)).toMatchObject({ status: 'retry' });
    expect(await liveSession(ref.sessionId)).toMatchObject({ status: 'restarting', attempts: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await schema.sessions.failLaunch(await spawn(), FAILURE)).toEqual({ status: 'error' });
    expect(await liveSession(ref.sessionId)).toMatchObject({
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
    expect((await liveSession(first.sessionId)).restartRequested).toBeUndefined();
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
