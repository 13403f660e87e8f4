import { describe, expect, test } from '@jest/globals';
import {
  useCalls,
  CALL,
  begin,
  countOf,
  counting,
  openLiveKit,
  openPhone,
  say,
  startSession,
} from './testing/calls.js';
import { launch, redis, schema } from './testing/steps.js';

useCalls();

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
      since: undefined,
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
    await launch();
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
