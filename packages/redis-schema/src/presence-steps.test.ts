import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import type { LaunchRef, SeenInRoom } from './index.js';
import {
  addHost,
  HOST,
  heartbeat,
  launch,
  newId,
  PROCESS,
  redis,
  refill,
  schema,
  startArguments,
  useRedis,
} from './testing/steps.js';

const RULES = { joinGraceMs: 1000, leaveGraceMs: 500, agentGraceMs: 200 };

useRedis(() => addHost(HOST, { poolTarget: 1 }));

async function startCaller(maxSessions = 50): Promise<string> {
  const { sessionId, ...rest } = startArguments({ maxSessions, queueMax: 5 });
  const { status } = await schema.sessions.start({ sessionId, ...rest });
  expect(['created', 'assigned', 'queued']).toContain(status);
  return sessionId;
}

async function startCall(): Promise<LaunchRef> {
  await startCaller();
  return launch();
}

async function warmUp(): Promise<LaunchRef> {
  await refill(1);
  return launch();
}

/** Moves the times of a session into the past instead of waiting. */
async function age(ref: Pick<LaunchRef, 'sessionId'>, field: string, ms: number): Promise<void> {
  const key = `session:${ref.sessionId}`;
  const before = Number(await redis.command('HGET', key, field));
  await redis.command('HSET', key, field, String(before - ms));
}

function note(ref: Omit<LaunchRef, 'launch'>, seen: Partial<SeenInRoom>, rules: object = {}) {
  const seenAt = schema.clock.now();
  const all: SeenInRoom = { seenAt, caller: 'unknown', agent: 'unknown', ...seen };
  return schema.rooms.notePresence(ref, all, { ...RULES, ...rules });
}

async function events(ref: LaunchRef, ...types: string[]): Promise<string[]> {
  const entries = (await redis.command('XRANGE', `stream:${ref.sessionId}`, '-', '+')) as [
    string,
    string[],
  ][];
  return entries
    .filter(([, fields]) => types.includes(fields[1] ?? ''))
    .map(([, fields]) => `${fields[1]} ${fields[3]}`);
}

const field = (ref: LaunchRef, name: string) => redis.command('HGET', `session:${ref.sessionId}`, name);

describe('a caller who comes', () => {
  test('is stamped once, at the time at which LiveKit let it in', async () => {
    const ref = await startCall();
    await age(ref, 'assignedAt', 10_000);
    const since = Math.floor(schema.clock.now()) - 3000;
    expect(await note(ref, { caller: 'present', callerSince: since })).toMatchObject({
      status: 'ok',
      session: { callerJoinedAt: since, callerLeftAt: undefined },
    });
    await note(ref, { caller: 'present', callerSince: since + 2000 });
    expect(await field(ref, 'callerJoinedAt')).toBe(String(since));
    expect(await events(ref, 'caller_joined', 'caller_left')).toEqual(['caller_joined {"returned":false}']);
  });

  test('did so neither before it got its room nor in the future, whatever clock LiveKit has', async () => {
    const early = await startCall();
    await note(early, { caller: 'present', callerSince: 1 });
    expect(await field(early, 'callerJoinedAt')).toBe(await field(early, 'assignedAt'));
    const late = await startCall();
    await note(late, { caller: 'present', callerSince: Date.now() + 3_600_000 });
    expect(Number(await field(late, 'callerJoinedAt'))).toBeLessThanOrEqual(schema.clock.now() + 1);
  });
});

describe('a caller who does not come', () => {
  test('ends the call after JOIN_GRACE, and frees the place', async () => {
    const ref = await startCall();
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    await age(ref, 'assignedAt', 1000);
    expect(await note(ref, { caller: 'absent' })).toMatchObject({
      status: 'ending',
      session: { status: 'ending', endReason: 'caller_never_joined', endedBy: 'spawner' },
    });
    expect(await note(ref, { caller: 'absent' })).toEqual({ status: 'superseded', now: 'ending' });
    await schema.sessions.finishEnd(ref.sessionId, ref.generation);
    expect((await schema.health.read()).callers).toBe(0);
  });

  test('is not waited for longer because the agent was started again', async () => {
    const ref = await startCall();
    await age(ref, 'assignedAt', 1000);
    await schema.sessions.restart(ref, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    const next = await launch();
    expect((await note(ref, { caller: 'absent' })).status).toBe('superseded');
    expect((await note(next, { caller: 'absent' })).status).toBe('ending');
  });

  test('is waited for as long as anybody likes where JOIN_GRACE is 0', async () => {
    const ref = await startCall();
    await age(ref, 'assignedAt', 50_000);
    expect((await note(ref, { caller: 'absent' }, { joinGraceMs: 0 })).status).toBe('ok');
  });

  test('counts from when it got a warm agent, not from when that was started', async () => {
    const ref = await warmUp();
    await age(ref, 'createdAt', 30_000);
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    expect(await startCaller()).not.toBe(ref.sessionId);
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    await age(ref, 'assignedAt', 1000);
    expect((await note(ref, { caller: 'absent' })).status).toBe('ending');
  });
});

describe('a caller whose agent is gone, and whose next launch nobody has claimed yet,', () => {
  const beat = () => heartbeat();

  /** In its room, and listed for a launch that long ago. */
  async function waiting(listedMsAgo: number) {
    const ref = await startCall();
    await note(ref, { caller: 'present' });
    await schema.sessions.restart(ref, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await redis.command('ZINCRBY', 'spawn:pending', -listedMsAgo, ref.sessionId);
    const { sessionId, generation } = ref;
    return { sessionId, generation };
  }

  test('is looked after by one of the hosts that are heard', async () => {
    const { sessionId } = await waiting(3000);
    expect((await beat()).unclaimed).toEqual([]);
    await redis.command('ZINCRBY', 'spawn:pending', -3000, sessionId);
    const roomName = `greenroom-${sessionId}`;
    const expected = [{ sessionId, generation: 1, roomName, roomSid: PROCESS.roomSid }];
    expect((await beat()).unclaimed).toEqual(expected);
    expect((await beat()).unclaimed).toEqual([]);
    await redis.command('HINCRBY', `session:${sessionId}`, 'roomLookedAt', -4000);
    expect((await beat()).unclaimed).toEqual(expected);
    await launch();
    await redis.command('HINCRBY', `session:${sessionId}`, 'roomLookedAt', -4000);
    expect((await beat()).unclaimed).toEqual([]);
  });

  test('ends the call when it leaves for LEAVE_GRACE: its place goes to the next in line in the same step', async () => {
    const ref = await waiting(0);
    expect(await note(ref, { caller: 'absent' })).toMatchObject({ status: 'ok', agentVanished: false });
    await age(ref, 'callerLeftAt', 500);
    const inLine = await startCaller(1);
    expect(await redis.command('HGET', `session:${inLine}`, 'status')).toBe('queued');
    expect((await note(ref, { caller: 'absent' })).status).toBe('ending');
    const found = await schema.sessions.read(ref.sessionId);
    expect(found).toMatchObject({ status: 'ended', ended: { endReason: 'caller_left' } });
    expect(await redis.command('ZRANGE', 'spawn:pending', 0, -1)).toEqual([inLine]);
  });

  test('keeps it when it is there, or when a host has claimed the launch meanwhile', async () => {
    const ref = await waiting(0);
    await note(ref, { caller: 'absent' });
    await age(ref, 'callerLeftAt', 500);
    expect((await note(ref, { caller: 'present' })).status).toBe('ok');
    await note(ref, { caller: 'absent' });
    await age(ref, 'callerLeftAt', 500);
    const next = await launch();
    expect((await note(ref, { caller: 'absent' })).status).toBe('superseded');
    const { sessionId, generation } = next;
    expect((await note({ sessionId, generation }, { caller: 'absent' })).status).toBe('superseded');
  });
});

test('a caller who waited in line has all of JOIN_GRACE from its turn on', async () => {
  const first = await startCall();
  const waiting = await startCaller(1);
  const key = `session:${waiting}`;
  expect(await redis.command('HGET', key, 'status')).toBe('queued');
  await redis.command('HINCRBY', key, 'createdAt', '-60000');
  await schema.sessions.requestEnd({ sessionId: first.sessionId, reason: 'caller_ended', by: 'caller' });
  await schema.sessions.finishEnd(first.sessionId, first.generation);
  const ref = await launch();
  expect(ref.sessionId).toBe(waiting);
  expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
  await age(ref, 'assignedAt', 1000);
  expect((await note(ref, { caller: 'absent' })).status).toBe('ending');
});

describe('a caller who leaves', () => {
  test('ends the call after LEAVE_GRACE, which counts from when it was first missed', async () => {
    const ref = await startCall();
    await note(ref, { caller: 'present' });
    await note(ref, { caller: 'absent' });
    const leftAt = await field(ref, 'callerLeftAt');
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    expect(await field(ref, 'callerLeftAt')).toBe(leftAt);
    await age(ref, 'callerLeftAt', 500);
    expect(await note(ref, { caller: 'absent' })).toMatchObject({
      status: 'ending',
      session: { endReason: 'caller_left', endedBy: 'caller' },
    });
    expect(await events(ref, 'caller_joined', 'caller_left')).toEqual([
      'caller_joined {"returned":false}',
      'caller_left {}',
    ]);
  });

  test('and comes back within it keeps the call; the next time it has the whole grace again', async () => {
    const ref = await startCall();
    await note(ref, { caller: 'present' });
    await note(ref, { caller: 'absent' });
    await age(ref, 'callerLeftAt', 400);
    await note(ref, { caller: 'present' });
    expect(await field(ref, 'callerLeftAt')).toBeNull();
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    expect(await events(ref, 'caller_joined')).toEqual([
      'caller_joined {"returned":false}',
      'caller_joined {"returned":true}',
    ]);
  });

  test('what was seen before the grace was over does not end the call afterwards', async () => {
    const ref = await startCall();
    await note(ref, { caller: 'present' });
    const seenAt = schema.clock.now();
    await note(ref, { seenAt, caller: 'absent' });
    await new Promise((resolve) => setTimeout(resolve, 550));
    expect((await note(ref, { seenAt, caller: 'absent' })).status).toBe('ok');
    expect((await note(ref, { caller: 'absent' })).status).toBe('ending');
  });

  test('keeps what is left of its grace after a loss of data', async () => {
    const ref = await startCall();
    await note(ref, { caller: 'present' });
    await note(ref, { caller: 'absent' });
    const leftAt = Number(await field(ref, 'callerLeftAt'));
    const found = await schema.sessions.read(ref.sessionId);
    if (found.status !== 'live') throw new Error(found.status);
    await redis.command('FLUSHALL');
    const published = await schema.sessions.publishLaunch(ref, HOST, found.session, undefined);
    expect(published).toMatchObject({ status: 'ok', session: { callerLeftAt: leftAt } });
  });
});

test('nothing ends while an absence proves nothing, or LiveKit cannot tell', async () => {
  const ref = await startCall();
  await note(ref, { caller: 'present', agent: 'present' });
  await note(ref, { caller: 'absent', agent: 'absent' });
  await age(ref, 'callerLeftAt', 5000);
  await age(ref, 'agentLeftAt', 5000);
  expect(await note(ref, {})).toMatchObject({ status: 'ok', agentVanished: false });
  const notBefore = schema.clock.now() + 60_000;
  expect(await note(ref, { caller: 'absent', agent: 'absent' }, { notBefore })).toMatchObject({
    status: 'ok',
    agentVanished: false,
  });
  expect((await note(ref, { caller: 'absent' })).status).toBe('ending');
});

describe('an agent that is not in its room', () => {
  test('has vanished when it was there, and stays away', async () => {
    const ref = await startCall();
    await note(ref, { agent: 'present' });
    expect(await note(ref, { agent: 'absent' })).toMatchObject({ agentVanished: false });
    await age(ref, 'agentLeftAt', 200);
    expect(await note(ref, { agent: 'absent' })).toMatchObject({ agentVanished: true });
    await note(ref, { agent: 'present' });
    expect(await note(ref, { agent: 'absent' })).toMatchObject({ agentVanished: false });
  });

  test('has not, when this launch was never seen there: some never join', async () => {
    const ref = await startCall();
    await note(ref, { agent: 'present' });
    await note(ref, { agent: 'absent' });
    await age(ref, 'agentLeftAt', 5000);
    await schema.sessions.restart(ref, { cause: 'agent_vanished', maxRestarts: 3, periodMs: 60_000 });
    const next = await launch();
    expect(await note(next, { agent: 'absent' })).toMatchObject({ agentVanished: false });
    await note(next, { agent: 'present' });
    expect(await note(next, { agent: 'absent' })).toMatchObject({ agentVanished: false });
  });

  test('counts against the restarts of its call', async () => {
    const ref = await startCall();
    const policy = { cause: 'agent_vanished' as const, maxRestarts: 1, periodMs: 60_000 };
    expect((await schema.sessions.restart(ref, policy)).status).toBe('restarting');
    expect((await schema.sessions.restart(await launch(), policy)).status).toBe('exhausted');
  });

  test('may be a warm one; that nobody is with it ends nothing', async () => {
    const ref = await warmUp();
    await note(ref, { caller: 'absent', agent: 'present' });
    await age(ref, 'createdAt', 50_000);
    await note(ref, { caller: 'absent', agent: 'absent' });
    await age(ref, 'agentLeftAt', 200);
    expect(await note(ref, { caller: 'absent', agent: 'absent' })).toMatchObject({
      status: 'ok',
      agentVanished: true,
      session: { status: 'pooled' },
    });
  });
});

describe('a caller on the telephone, of whom the room shows nothing,', () => {
  const CALL = 'v3:a-phone-call';
  const settings = {};

  async function phoneCall(): Promise<LaunchRef> {
    const ref = await startCall();
    const { sessionId } = ref;
    await schema.calls.open({
      callId: CALL,
      medium: 'phone',
      sessionId,
      state: {},
      settings,
      dueAt: undefined,
    });
    return ref;
  }

  const answer = (at = schema.clock.now()) =>
    schema.calls.change(
      CALL,
      ({ state, dueAt }) => ({ state, dueAt, actions: [], steps: [], facts: { answered: '1' } }),
      { callerJoinedAt: Math.floor(at) },
    );

  test('is there from when it was answered, and away when it is hung up: not before', async () => {
    const ref = await phoneCall();
    await answer();
    await age(ref, 'assignedAt', 60_000);
    for (let look = 1; look <= 2; look += 1) {
      const rules = { leaveGraceMs: 0 };
      expect((await note(ref, { caller: 'absent' }, rules)).status).toBe('ok');
    }
    expect(await field(ref, 'callerLeftAt')).toBeNull();
    expect(await events(ref, 'caller_joined', 'caller_left')).toEqual(['caller_joined {"returned":false}']);
  });

  test('is waited for as long as any other until it is answered, and then the phone is to be hung up', async () => {
    const ref = await phoneCall();
    expect((await note(ref, { caller: 'absent' })).status).toBe('ok');
    await age(ref, 'assignedAt', 1000);
    expect(await note(ref, { caller: 'absent' })).toMatchObject({
      status: 'ending',
      session: { endReason: 'caller_never_joined' },
    });
    expect(await schema.calls.read(CALL)).toMatchObject({ isOver: true });
  });

  test('joined neither before it got its room nor in the future, and once', async () => {
    const ref = await phoneCall();
    await answer(1);
    expect(await field(ref, 'callerJoinedAt')).toBe(await field(ref, 'assignedAt'));
    await answer(schema.clock.now() + 60_000);
    expect(await field(ref, 'callerJoinedAt')).toBe(await field(ref, 'assignedAt'));
  });

  test('is known to the host of its agent at once, and so is the answer', async () => {
    const heard: unknown[] = [];
    await schema.bus.listen(`host:${HOST}:wake`, (message) => heard.push(message));
    const { sessionId } = await phoneCall();
    await answer();
    await waitFor(() => heard.length === 2);
    expect(heard).toEqual([
      { kind: 'assigned', id: sessionId },
      { kind: 'assigned', id: sessionId },
    ]);
  });

  test('in a room of LiveKit has a call of another kind: there LiveKit tells who is there', async () => {
    const ref = await startCall();
    const { sessionId } = ref;
    const call = {
      callId: sessionId,
      medium: 'livekit',
      sessionId,
      state: {},
      settings,
      dueAt: undefined,
    } as const;
    await schema.calls.open(call);
    await note(ref, { caller: 'present' });
    await note(ref, { caller: 'absent' });
    expect(await field(ref, 'callerLeftAt')).not.toBeNull();
  });
});

describe('a hint that something happened in a room', () => {
  test('reaches the host that owns the session, and nobody else', async () => {
    const heard: unknown[] = [];
    await schema.bus.listen(`host:${HOST}:wake`, (message) => heard.push(message));
    expect(await schema.rooms.wakeOwner(newId('session'))).toBe('not_found');
    const unclaimed = await startCaller();
    expect(await schema.rooms.wakeOwner(unclaimed)).toBe('unclaimed');
    const ref = await launch();
    expect(await schema.rooms.wakeOwner(ref.sessionId)).toBe('woken');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toEqual([{ kind: 'room', id: ref.sessionId }]);
  });
});
