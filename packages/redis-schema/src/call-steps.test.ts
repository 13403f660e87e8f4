import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CallAction, type CallRecord, type NextCall, openRedis, type RedisSchema } from './index.js';

const HOST = 'host-a';
const CALL = 'v3:a-call-control-id';
let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = await openSchema();
  await schema.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 1 }]);
  await schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
  });
});
afterEach(() => schema.close());

async function openSchema(): Promise<RedisSchema> {
  const opened = openRedis({ url: redis.url, clientName: 'test' });
  await opened.connected(2000);
  return opened;
}

interface Counted {
  v: 1;
  count: number;
}

const begin: Counted = { v: 1, count: 0 };

/** Rules of our own: each event counts. */
function counting(more: Partial<NextCall> = {}) {
  return (call: CallRecord): NextCall => ({
    state: { ...(call.state as Counted), count: (call.state as Counted).count + 1 },
    dueAt: call.dueAt,
    actions: [],
    steps: [],
    ...more,
  });
}

const say = (commandId: string): CallAction => ({
  kind: 'say',
  commandId,
  text: 'Still there?',
  purpose: 'checkin',
});

async function openPhone(callId = CALL, dueInMs = 60_000): Promise<void> {
  const result = await schema.calls.open({
    callId,
    medium: 'phone',
    state: begin,
    settings: {},
    dueAt: Math.round(schema.clock.now()) + dueInMs,
  });
  expect(result.status).toBe('opened');
}

async function startSession(): Promise<string> {
  const sessionId = `session_${String((serial += 1)).padStart(24, '0')}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    queueMax: 5,
    sessionTimeoutMs: 60_000,
  });
  await launchNext();
  return sessionId;
}

async function launchNext(): Promise<void> {
  const launch = `launch${(serial += 1)}`;
  const claim = await schema.sessions.claim({ host: HOST, launch, hostCapacity: 60, includePool: true });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const ref = { sessionId: claim.session.id, generation: claim.session.generation, launch };
  await schema.sessions.commitLaunch(ref, {
    pid: 4242,
    pgid: 4242,
    startTime: '7',
    roomSid: 'RM',
    logFile: '/x',
  });
  await schema.sessions.markReady(ref, 1);
}

async function openLiveKit(): Promise<string> {
  const callId = await startSession();
  const dueAt = Math.round(schema.clock.now()) + 60_000;
  await schema.calls.open({
    callId,
    sessionId: callId,
    medium: 'livekit',
    state: begin,
    settings: {},
    dueAt,
  });
  return callId;
}

const countOf = async (callId = CALL) =>
  ((await schema.calls.read(callId))?.state as Counted | undefined)?.count;

describe('a change', () => {
  test('of fifty at once is lost by none, and each sees what the others have done', async () => {
    await openPhone();
    const others = await Promise.all([openSchema(), openSchema(), openSchema()]);
    const all = [schema, ...others];
    const seen = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (all[i % all.length] ?? schema).calls.change(CALL, counting())),
    );
    expect(seen.map((result) => result.status)).toEqual(Array(50).fill('changed'));
    const counts = seen.map((result) =>
      result.status === 'changed' ? (result.call.state as Counted).count : 0,
    );
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await schema.calls.read(CALL)).toMatchObject({ version: 51, state: { count: 50 } });
    for (const other of others) await other.close();
  });

  test('by an event that was seen before does nothing, whoever asks and whatever the state is by now', async () => {
    await openPhone();
    const other = await openSchema();
    const event = { eventId: 'evt-1' };
    const both = await Promise.all([
      schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }), event),
      other.calls.change(CALL, counting({ actions: [say('checkin-1')] }), event),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['changed', 'duplicate']);
    await schema.calls.change(CALL, counting(), { eventId: 'evt-2' });
    expect(await schema.calls.change(CALL, counting(), event)).toMatchObject({ status: 'duplicate' });
    expect(await countOf()).toBe(2);
    await other.close();
  });

  test('that an event does not bring is remembered too: later, it does not bring one either', async () => {
    await openPhone();
    expect(await schema.calls.change(CALL, () => 'unchanged', { eventId: 'evt-1' })).toMatchObject({
      status: 'unchanged',
      call: { version: 1 },
    });
    expect(await schema.calls.change(CALL, counting(), { eventId: 'evt-1' })).toMatchObject({
      status: 'duplicate',
    });
    expect(await countOf()).toBe(0);
  });

  test('keeps no more of the events than their list takes, and that not for ever', async () => {
    await openPhone();
    for (let i = 0; i < 520; i += 1)
      await schema.calls.change(CALL, () => 'unchanged', { eventId: `evt-${i}` });
    expect(await redis.command('ZCARD', `call:${CALL}:events`)).toBe(500);
    expect(Number(await redis.command('PTTL', `call:${CALL}:events`))).toBeGreaterThan(0);
  });

  test('of a call that is over changes nothing and brings no key back', async () => {
    await openPhone();
    await schema.calls.close(CALL);
    expect(await schema.calls.change(CALL, counting(), { eventId: 'late' })).toEqual({ status: 'not_found' });
    expect(await redis.command('KEYS', '*call*')).toEqual([]);
    expect(await redis.command('KEYS', '*flag*')).toEqual([]);
  });

  test('while the data is being recovered is not known to have come too late', async () => {
    await redis.command('DEL', 'epoch');
    await expect(schema.calls.change(CALL, counting())).rejects.toThrow(/recovered/);
  });
});

describe('settings', () => {
  test('are merged, and what is due is worked out anew with them', async () => {
    await openPhone();
    await schema.calls.setSettings(
      CALL,
      { silence_timeout_normal: 10, checkin_message: 'Hello?' },
      () => 'unchanged',
    );
    const dueAt = Math.round(schema.clock.now()) + 5;
    const changed = await schema.calls.setSettings(CALL, { silence_timeout_normal: null }, (call) => {
      expect(call.settings).toEqual({ checkin_message: 'Hello?' });
      return counting({ dueAt })(call);
    });
    expect(changed).toMatchObject({ status: 'changed', call: { version: 3, dueAt } });
    expect(await schema.calls.read(CALL)).toMatchObject({ settings: { checkin_message: 'Hello?' }, dueAt });
    expect(await redis.command('ZSCORE', 'calls:due', CALL)).toBe(String(dueAt));
  });
});

describe('what is due', () => {
  test('is taken by one of several, in one command for all calls', async () => {
    for (let i = 0; i < 5; i += 1) await openPhone(`${CALL}-${i}`, -100 * i);
    await openPhone(`${CALL}-later`, 700);
    const other = await openSchema();
    const [mine, theirs] = [await schema.calls.takeDue(), await other.calls.takeDue()];
    expect(mine.calls.map(({ callId }) => callId)).toEqual([4, 3, 2, 1, 0].map((i) => `${CALL}-${i}`));
    expect(theirs.calls).toEqual([]);
    const later = (await schema.calls.read(`${CALL}-later`))?.dueAt ?? 0;
    expect(mine.nextDueAt).toBe(Math.min(later, mine.now + 600));
    await other.close();
  });

  test('comes again 0.6 s after somebody took it and died, and not sooner', async () => {
    await openPhone(CALL, -1);
    const dying = await openSchema();
    const taken = await dying.calls.takeDue();
    expect(taken.calls).toHaveLength(1);
    await dying.close();
    const at = Number(await redis.command('ZSCORE', 'calls:due', CALL));
    expect(at - taken.now).toBe(600);
    expect((await schema.calls.takeDue()).calls).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, at - schema.clock.now() + 5));
    expect((await schema.calls.takeDue()).calls).toMatchObject([{ callId: CALL, version: 1 }]);
  });

  test('is done once, though its lease ran out while somebody was at it', async () => {
    await openPhone(CALL, -1);
    const [call] = (await schema.calls.takeDue({ leaseMs: 0 })).calls;
    const [again] = (await schema.calls.takeDue()).calls;
    const asNoted = (known: CallRecord) => (now: CallRecord) =>
      now.version === known.version ? counting({ actions: [say('checkin-1')] })(now) : 'unchanged';
    if (!call || !again) throw new Error('not taken');
    const both = await Promise.all(
      [call, again].map((known) => schema.calls.change(CALL, asNoted(known), { known })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['changed', 'unchanged']);
    expect((await schema.calls.takeDue()).outboxes).toMatchObject([{ entries: [{ attempts: 1 }] }]);
  });

  test('of a call that is no more leaves the set', async () => {
    await openPhone(CALL, -1);
    await redis.command('DEL', `call:${CALL}`);
    expect((await schema.calls.takeDue()).calls).toEqual([]);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('is taken beside a call that is spoilt', async () => {
    const unreadable: string[] = [];
    const own = openRedis({
      url: redis.url,
      clientName: 'test',
      onUnreadable: (key) => unreadable.push(key),
    });
    await own.connected(2000);
    await openPhone('spoilt', -2);
    await schema.calls.change('spoilt', counting({ actions: [say('checkin-1')] }));
    await redis.command('HSET', 'call:spoilt', 'state', '{', 'outbox', '[');
    await openPhone(CALL, -1);
    expect((await own.calls.takeDue()).calls).toMatchObject([{ callId: CALL }]);
    expect(unreadable).toEqual(['call:spoilt']);
    await own.close();
  });

  test('waits no longer than that where the clock of Redis is set back', async () => {
    await openPhone(CALL, -1);
    const ahead = String(Date.now() + 3_600_000);
    await redis.command('HSET', 'calls:watch', 'lookedAt', ahead, 'graceUntil', ahead);
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
  });

  test('waits after an outage, since what was said meanwhile may still be on its way', async () => {
    await openPhone(CALL, -1);
    await schema.calls.change(CALL, counting({ dueAt: 1, actions: [say('checkin-1')] }));
    await redis.command('HSET', 'calls:watch', 'lookedAt', String(Date.now() - 3500));
    const first = await schema.calls.takeDue();
    expect(first).toMatchObject({ calls: [], outboxes: [], nextDueAt: first.now + 2000 });
    expect(await schema.calls.takeDue()).toMatchObject({ calls: [], nextDueAt: first.now + 2000 });
    await redis.command('HSET', 'calls:watch', 'graceUntil', String(Date.now() - 1));
    expect(await schema.calls.takeDue()).toMatchObject({ calls: [{ callId: CALL }], outboxes: [{}] });
  });

  test('the silence of a session whose host is not heard is unknown: it ends nothing, and is looked at again', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(callId, counting({ dueAt: 1 }));
    const beat = (agoMs: number) =>
      redis.command('ZADD', 'hosts', String(Math.round(schema.clock.now()) - agoMs), HOST);
    await beat(16_000);
    expect((await schema.calls.takeDue({ leaseMs: 0 })).calls).toEqual([]);
    await beat(14_000);
    expect((await schema.calls.takeDue({ leaseMs: 0 })).calls).toMatchObject([{ callId }]);
  });

  test('is no slower to take where ten thousand other calls are quiet', async () => {
    const quiet = Array.from({ length: 10_000 }, (_, i) => [
      String(Date.now() + 60_000 + i),
      `quiet-${i}`,
    ]).flat();
    await redis.command('ZADD', 'calls:due', ...quiet);
    await openPhone(CALL, -1);
    await schema.calls.takeDue({ limit: 0 });
    await redis.command('CONFIG', 'RESETSTAT');
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
    const stats = String(await redis.command('INFO', 'commandstats'));
    const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, count]) => [
      name,
      Number(count),
    ]);
    const asked = Object.fromEntries(calls) as Record<string, number>;
    expect(asked.evalsha).toBe(1);
    expect(asked.hgetall).toBe(1);
    expect(asked.zrangebyscore).toBe(1);
  });
});

describe('commands', () => {
  test('are given again with the same id until they are confirmed, in the order in which they were made', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(
      CALL,
      counting({ actions: [{ kind: 'restart_agent', commandId: 'restart-1' }] }),
    );
    const ids = async () =>
      (await schema.calls.takeDue({ leaseMs: 0 })).outboxes.map(({ entries }) =>
        entries.map(({ command, attempts }) => `${command.commandId} ${attempts}`),
      );
    expect(await ids()).toEqual([['checkin-1 1', 'restart-1 1']]);
    expect(await ids()).toEqual([['checkin-1 2', 'restart-1 2']]);
    await schema.calls.confirm(CALL, 'checkin-1');
    await schema.calls.confirm(CALL, 'checkin-1');
    expect(await ids()).toEqual([['restart-1 3']]);
    await schema.calls.retryIn(CALL, 60_000);
    expect(await ids()).toEqual([]);
    await schema.calls.confirm(CALL, 'restart-1');
    expect(await redis.command('ZRANGE', 'calls:due', '0', '-1')).toEqual([CALL]);
  });

  test('of a change that is computed twice stand there once', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect((await schema.calls.takeDue()).outboxes).toMatchObject([{ entries: [{ attempts: 1 }] }]);
  });

  test('are confirmed by the event that proves them, in the same step', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1'), say('checkin-2')] }));
    await schema.calls.change(CALL, counting(), { confirms: 'checkin-1' });
    await schema.calls.change(CALL, () => 'unchanged', { confirms: 'checkin-2' });
    expect((await schema.calls.takeDue()).outboxes).toEqual([]);
  });

  test('that are void are taken back, and with a word only where somebody may have heard of them', async () => {
    await openPhone();
    const unsay: CallAction = { kind: 'unsay', commandId: 'checkin-1' };
    const sent = async () =>
      (await schema.calls.takeDue({ leaseMs: 0 })).outboxes.flatMap(({ entries }) =>
        entries.map(({ command }) => command.commandId),
      );
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(CALL, counting({ actions: [unsay] }));
    expect(await sent()).toEqual([]);
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect(await sent()).toEqual(['checkin-1']);
    await schema.calls.change(CALL, counting({ actions: [unsay] }));
    expect(await sent()).toEqual(['unsay-checkin-1']);
    await schema.calls.confirm(CALL, 'unsay-checkin-1');
    await schema.calls.change(CALL, counting({ actions: [{ ...unsay, again: true }] }));
    expect(await sent()).toEqual(['unsay-again-checkin-1']);
  });

  test('to end a call do not stand behind what was to be said before', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    const end: CallAction = { kind: 'end', commandId: 'end-1', reason: 'dead_air' };
    await schema.calls.change(CALL, counting({ actions: [say('apology-1'), end] }));
    const [outbox] = (await schema.calls.takeDue()).outboxes;
    expect(outbox?.entries.map(({ command }) => command.commandId)).toEqual(['apology-1', 'end-1']);
  });

  test('are sent at once by whoever watches, others wait for its lease', async () => {
    await openPhone();
    const watching = await openSchema();
    const heard: string[] = [];
    watching.calls.watch({
      changed: (_, outbox) => heard.push(...outbox.map(({ command }) => command.commandId)),
      due: () => undefined,
    });
    const changed = await watching.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect(changed).toMatchObject({ outbox: [{ attempts: 1, command: { text: 'Still there?' } }] });
    expect(heard).toEqual(['checkin-1']);
    expect((await schema.calls.takeDue()).outboxes).toEqual([]);
    await watching.close();
  });
});

describe('a wake', () => {
  test('comes with what is due sooner than anybody looks, and never else', async () => {
    await openPhone();
    const heard: unknown[] = [];
    await schema.bus.listen('calls:wake', (message) => heard.push(message));
    const dueAt = Math.round(schema.clock.now()) + 500;
    await schema.calls.change(CALL, counting({ dueAt: dueAt + 5000 }));
    await schema.calls.change(CALL, counting({ dueAt }));
    await schema.calls.change(CALL, counting({ dueAt: undefined, actions: [say('checkin-1')] }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toMatchObject([{ dueAt }, {}]);
  });
});

describe('the flag of an agent that watches by itself', () => {
  test('is set and cleared with the change, and goes after ten seconds', async () => {
    await openPhone();
    const flag = `flag:${CALL}:agent_done_speaking`;
    await schema.calls.change(CALL, counting({ actions: [{ kind: 'flag_set' }] }));
    expect(await redis.command('GET', flag)).toBe('true');
    const ttl = Number(await redis.command('PTTL', flag));
    expect(ttl).toBeGreaterThan(9000);
    expect(ttl).toBeLessThanOrEqual(10_000);
    await schema.calls.change(CALL, counting({ actions: [{ kind: 'flag_clear' }] }));
    expect(await redis.command('EXISTS', flag)).toBe(0);
  });

  test('is taken by one alone of those who ask', async () => {
    await schema.calls.setAgentDone(CALL);
    expect(Number(await redis.command('PTTL', `flag:${CALL}:agent_done_speaking`))).toBeGreaterThan(9000);
    const asked = await Promise.all(Array.from({ length: 5 }, () => schema.calls.takeAgentDone(CALL)));
    expect(asked.filter(Boolean)).toHaveLength(1);
    await schema.calls.setAgentDone(CALL);
    await schema.calls.clearAgentDone(CALL);
    expect(await schema.calls.takeAgentDone(CALL)).toBe(false);
  });
});

describe('a call and its session', () => {
  test('of LiveKit end in one step, and nothing of the call is left', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(callId, counting({ actions: [say('checkin-1'), { kind: 'flag_set' }] }), {
      eventId: 'e',
    });
    expect(await schema.calls.findBySession(callId)).toMatchObject({ callId, medium: 'livekit' });
    await schema.sessions.requestEnd({ sessionId: callId, reason: 'caller_ended', by: 'caller' });
    expect(await redis.command('KEYS', `*call:${callId}*`)).toEqual([]);
    expect(await redis.command('EXISTS', `flag:${callId}:agent_done_speaking`)).toBe(0);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
    expect(
      await schema.calls.open({
        callId,
        sessionId: callId,
        medium: 'livekit',
        state: begin,
        settings: {},
        dueAt: 1,
      }),
    ).toEqual({ status: 'session_over' });
  });

  test('of a phone: where the session ends, what is left is to hang up, and that is sent until it is confirmed', async () => {
    const sessionId = await startSession();
    await openPhone();
    const args = { callId: CALL, medium: 'phone', state: begin, settings: {}, dueAt: undefined } as const;
    expect(await schema.calls.open({ ...args, sessionId })).toMatchObject({
      status: 'exists',
      call: { sessionId },
    });
    expect(await schema.calls.findBySession(sessionId)).toMatchObject({ callId: CALL });
    await schema.calls.change(CALL, counting({ dueAt: 1, actions: [say('checkin-1')] }));
    await schema.sessions.requestEnd({ sessionId, reason: 'admin_ended', by: 'admin' });
    expect(await schema.calls.change(CALL, counting({ actions: [say('checkin-2')] }))).toEqual({
      status: 'over',
    });
    const taken = await schema.calls.takeDue();
    expect(taken.calls).toEqual([]);
    expect(taken.outboxes).toMatchObject([
      {
        call: { isOver: true },
        entries: [{ command: { kind: 'end', commandId: 'end-session', reason: 'admin_ended' } }],
      },
    ]);
    await schema.calls.close(CALL);
    expect(await redis.command('KEYS', '*call:*')).toEqual([]);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('of a phone that the data has lost: it is hung up with its session all the same', async () => {
    const sessionId = await startSession();
    await schema.calls.open({
      callId: CALL,
      sessionId,
      medium: 'phone',
      state: begin,
      settings: {},
      dueAt: undefined,
    });
    await redis.command('DEL', `call:${CALL}`, 'calls:due');
    await schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
    expect((await schema.calls.takeDue()).outboxes).toMatchObject([
      { call: { callId: CALL, medium: 'phone', isOver: true }, entries: [{ command: { kind: 'end' } }] },
    ]);
    await schema.calls.close(CALL);
    await schema.sessions.finishEnd(sessionId, 1);
    expect(await redis.command('KEYS', '*call:*')).toEqual([]);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('of a phone follows its caller out of the line, to a warm agent', async () => {
    const before = await startSession();
    const queued = `session_${'q'.repeat(24)}`;
    const started = await schema.sessions.start({
      sessionId: queued,
      roomName: `greenroom-${queued}`,
      profile: 'default',
      userScope: '',
      trusted: false,
      maxSessions: 1,
      queueMax: 5,
      sessionTimeoutMs: 60_000,
    });
    expect(started.status).toBe('queued');
    const phone = { callId: CALL, medium: 'phone', state: begin, settings: {}, dueAt: undefined } as const;
    expect(await schema.calls.open({ ...phone, sessionId: queued })).toMatchObject({ status: 'opened' });
    const warm = `prewarm_${'w'.repeat(24)}`;
    const times = { warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 };
    await schema.pools.planRefill({
      profile: 'default',
      ids: [warm],
      rooms: [`greenroom-${warm}`],
      ...times,
    });
    await launchNext();
    await schema.sessions.requestEnd({ sessionId: before, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(before, 1);
    expect(await redis.command('GET', `becomes:${queued}`)).toBe(warm);
    expect(await schema.calls.findBySession(warm)).toMatchObject({ callId: CALL });
    expect(await schema.calls.change(CALL, counting())).toMatchObject({ call: { sessionId: warm } });
    await schema.sessions.requestEnd({ sessionId: warm, reason: 'admin_ended', by: 'admin' });
    expect(await schema.calls.read(CALL)).toMatchObject({ isOver: true });
  });

  test('that has a phone has no other call', async () => {
    const sessionId = await openLiveKit();
    const phone = {
      callId: CALL,
      sessionId,
      medium: 'phone',
      state: begin,
      settings: {},
      dueAt: undefined,
    } as const;
    expect(await schema.calls.open(phone)).toMatchObject({ status: 'opened' });
    expect(await schema.calls.read(sessionId)).toBeUndefined();
    expect(await schema.calls.open({ ...phone, callId: sessionId, medium: 'livekit' })).toEqual({
      status: 'taken',
      by: CALL,
    });
  });

  test('of a phone is not hung up with a session that it was taken from', async () => {
    const [lost, found] = [await startSession(), await startSession()];
    const phone = { callId: CALL, medium: 'phone', state: begin, settings: {}, dueAt: undefined } as const;
    await schema.calls.open({ ...phone, sessionId: lost });
    await schema.calls.open({ ...phone, sessionId: found });
    await schema.sessions.requestEnd({ sessionId: lost, reason: 'caller_never_joined', by: 'spawner' });
    expect(await schema.calls.read(CALL)).toMatchObject({ sessionId: found, isOver: false });
    await schema.sessions.requestEnd({ sessionId: found, reason: 'admin_ended', by: 'admin' });
    expect(await schema.calls.read(CALL)).toMatchObject({ isOver: true });
  });

  test('opened again it stays as it is', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(callId, counting());
    const again = {
      callId,
      sessionId: callId,
      medium: 'livekit',
      state: begin,
      settings: {},
      dueAt: 1,
    } as const;
    expect(await schema.calls.open(again)).toMatchObject({ status: 'exists', call: { version: 2 } });
    expect(await countOf(callId)).toBe(1);
  });

  test('that is not there ends nothing while the data is being recovered, and the call after it', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(callId, counting({ dueAt: 1, actions: [say('checkin-1')] }));
    const epoch = String(await redis.command('GET', 'epoch'));
    await redis.command('DEL', 'epoch', `session:${callId}`);
    expect(await schema.calls.takeDue({ leaseMs: 0 })).toMatchObject({ calls: [], outboxes: [] });
    expect(await redis.command('EXISTS', `call:${callId}`)).toBe(1);
    await redis.command('SET', 'epoch', epoch);
    expect(await schema.calls.takeDue()).toMatchObject({ calls: [], outboxes: [] });
    expect(await redis.command('EXISTS', `call:${callId}`)).toBe(0);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('tells its steps to the stream and to the history, without a word of what was said', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(
      callId,
      counting({ actions: [say('checkin-1')], steps: [{ name: 'checkin', detail: { number: 1 } }] }),
    );
    await schema.calls.change(callId, counting({ steps: [{ name: 'caller_back' }] }));
    const entries = (await redis.command('XRANGE', `stream:${callId}`, '-', '+')) as [string, string[]][];
    const told = entries.map(([, fields]) => fields).filter((fields) => fields[1] === 'dead_air');
    expect(told.map((fields) => JSON.parse(fields[3] ?? ''))).toEqual([
      { step: 'checkin', number: 1 },
      { step: 'caller_back' },
    ]);
    expect(JSON.stringify(await redis.command('XRANGE', 'events', '-', '+'))).not.toContain('Still there');
    await schema.sessions.requestEnd({ sessionId: callId, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(callId, 1);
    expect((await schema.history.read(callId))?.deadAir.map(({ step }) => step)).toEqual([
      'checkin',
      'caller_back',
    ]);
  });

  test('keeps its keys as long as those of its session', async () => {
    const callId = await openLiveKit();
    expect(Number(await redis.command('PTTL', `call:${callId}`))).toBeLessThanOrEqual(60_000);
    const session = await schema.sessions.read(callId);
    if (session.status !== 'live') throw new Error('not live');
    const { generation, launch = '' } = session.session;
    await schema.sessions.renew({ sessionId: callId, generation, launch }, 90_000, {});
    expect(Number(await redis.command('PTTL', `call:${callId}`))).toBeGreaterThan(60_000);
  });
});

test('two deployments on one Redis have calls of the same id, and neither sees or hears of the other', async () => {
  const other = openRedis({ url: redis.url, clientName: 'other', keyPrefix: 'two:' });
  try {
    await other.connected(2000);
    await other.hosts.register('another-host', [{ name: 'default', voices: [], poolTarget: 0 }]);
    await openPhone(CALL, -1);
    await schema.calls.setAgentDone(CALL);
    expect(await other.calls.read(CALL)).toBeUndefined();
    expect((await other.calls.takeDue()).calls).toEqual([]);
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
    expect(await other.calls.takeAgentDone(CALL)).toBe(false);
    const woken: unknown[] = [];
    await other.bus.listen('calls:wake', (message) => woken.push(message));
    await schema.calls.change(CALL, counting({ dueAt: Math.round(schema.clock.now()) + 10 }));
    await other.calls.setAgentDone(CALL);
    expect(await redis.command('EXISTS', `two:flag:${CALL}:agent_done_speaking`)).toBe(1);
    expect(woken).toEqual([]);
    expect(await schema.calls.takeAgentDone(CALL)).toBe(true);
  } finally {
    await other.close();
  }
});
