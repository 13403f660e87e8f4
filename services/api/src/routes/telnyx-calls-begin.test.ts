import { AGENT_STARTING, begin, callReducer } from '@greenroom/dead-air';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { rejectCall } from '../calls/telnyx/phone-steps.js';
import { INCOMING, TelnyxDesk } from '../testing/telnyx-desk.js';

let desk: TelnyxDesk;
beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());

describe('a call that comes in', () => {
  test('gets a session and is to be answered', async () => {
    const call = await desk.dial();
    const { sessionId, medium } = await desk.read(call);
    expect(medium).toBe('phone');
    const { body: session } = await desk.api.adminGet(`/api/session/${sessionId}`);
    expect(session).toMatchObject({ status: 'starting', profile: 'default' });
    expect(await desk.outbox(call)).toEqual([
      { kind: 'phone', commandId: 'answer', command: { kind: 'answer' } },
    ]);
  });

  test('gets a warm agent where there is one', async () => {
    const warm = await desk.spawner.warmUp();
    const call = await desk.dial();
    expect((await desk.read(call)).sessionId).toBe(warm);
    expect(await desk.outbox(call)).toHaveLength(1);
  });

  test('however often it is told, and by however many instances at once, has one session and one answer', async () => {
    const call = desk.telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const told = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => desk.post(event, n % 2 ? desk.api : desk.other)),
    );
    expect(told.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await desk.post(event)).toMatchObject({ outcome: 'duplicate' });
    const { body } = await desk.api.adminGet('/api/sessions');
    expect(body.sessions).toHaveLength(1);
    expect(await desk.outbox(call)).toHaveLength(1);
  });

  test('is rejected as busy where there is no place, and stands in no line', async () => {
    for (let n = 0; n < 3; n += 1) await desk.api.start();
    const call = desk.telnyx.dial();
    expect(await desk.deliver(call, 'call.initiated', INCOMING)).toMatchObject({
      status: 200,
      outcome: 'taken',
    });
    expect(await desk.outbox(call)).toEqual([
      { kind: 'phone', commandId: 'reject', command: { kind: 'reject' } },
    ]);
    expect(await desk.deliver(call, 'call.initiated', INCOMING)).toMatchObject({ outcome: 'duplicate' });
    expect((await desk.api.schema.health.read()).queued).toBe(0);
  });

  test('that one instance rejects just before another finds a place has no session that is left over', async () => {
    const call = desk.telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const { sessions } = desk.api.schema;
    const start = sessions.start.bind(sessions);
    sessions.start = async (args) => {
      sessions.start = start;
      const started = await start(args);
      await desk.other.schema.calls.open({
        callId: call.id,
        medium: 'phone',
        state: begin(0, 'phone'),
        settings: {},
        dueAt: undefined,
      });
      await desk.other.schema.calls.change(call.id, rejectCall, { eventId: event.id });
      return started;
    };
    expect(await desk.post(event)).toMatchObject({ outcome: 'duplicate' });
    const { body } = await desk.api.adminGet('/api/sessions');
    expect(body.sessions).toEqual([]);
    // What is left to do is to be rid of the caller: by the rejection or, now that a session has ended, by hanging up.
    expect(await desk.outbox(call)).toHaveLength(1);
  });

  test('that is told again after we died half-way is answered then', async () => {
    const call = desk.telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const { calls } = desk.api.schema;
    const change = calls.change.bind(calls);
    calls.change = async () => {
      calls.change = change;
      throw new Error('killed');
    };
    expect(await desk.post(event)).toMatchObject({ status: 500 });
    expect(await desk.outbox(call)).toEqual([]);
    expect(await desk.post(event, desk.other)).toMatchObject({ outcome: 'taken' });
    expect(await desk.outbox(call)).toHaveLength(1);
    const { body } = await desk.api.adminGet('/api/sessions');
    expect(body.sessions).toHaveLength(1);
  });

  test('of which the news of the answer comes first has everything that it has else', async () => {
    const call = desk.telnyx.dial();
    const at = Date.now() - 100;
    expect(await desk.deliver(call, 'call.answered', {}, { at })).toMatchObject({ outcome: 'taken' });
    expect(await desk.outbox(call)).toEqual([]);
    await desk.deliver(call, 'call.initiated', INCOMING, { to: desk.other });
    const { sessionId, state, dueAt } = await desk.read(call);
    const startedAt = (state as { startedAt: number }).startedAt;
    // Its agent is not there yet.
    expect((dueAt ?? 0) - startedAt).toBeGreaterThan(60_000);
    const thereAt = startedAt + 9_000;
    await desk.api.schema.calls.change(
      call.id,
      callReducer({ kind: 'work_ended', id: AGENT_STARTING, at: thereAt }),
    );
    expect((await desk.read(call)).dueAt).toBe(thereAt + 7_000);
    expect(await desk.api.schema.sessions.read(sessionId ?? '')).toMatchObject({
      session: { callerJoinedAt: expect.any(Number) },
    });
    expect(startedAt).toBeGreaterThan(0);
    expect(await desk.outbox(call)).toEqual([
      {
        kind: 'phone',
        commandId: 'link',
        command: { kind: 'transfer', to: expect.stringMatching(/^sip:greenroom-/) },
      },
    ]);
  });

  test('goes out: that is not for us', async () => {
    const call = desk.telnyx.dial();
    expect(await desk.deliver(call, 'call.initiated', { ...INCOMING, direction: 'outgoing' })).toMatchObject({
      status: 200,
      outcome: 'ignored',
    });
    expect(await desk.api.schema.calls.read(call.id)).toBeUndefined();
  });

  test('leaves its number nowhere', async () => {
    await desk.answered();
    expect(desk.api.log()).not.toContain('5550100');
    const { body } = await desk.api.adminGet('/api/sessions');
    expect(JSON.stringify(body)).not.toContain('5550100');
    expect(await desk.everything()).not.toContain('5550100');
  });
});

describe('a call that is answered', () => {
  test('is led to the room of its agent, and from then on silence counts', async () => {
    const call = await desk.answered();
    const { facts, dueAt, state } = await desk.read(call);
    expect(await desk.outbox(call)).toEqual([
      {
        kind: 'phone',
        commandId: 'link',
        command: { kind: 'transfer', to: `sip:${facts.room}@sip.example.test` },
      },
    ]);
    // Its spawner knows from this that both are in the room.
    expect(facts.link).toBe('sip');
    const { startedAt } = state as { startedAt: number };
    const found = await desk.api.schema.sessions.read((await desk.read(call)).sessionId ?? '');
    expect(found).toMatchObject({ session: { callId: call.id, callerJoinedAt: expect.any(Number) } });
    expect(Math.abs(startedAt - Date.now())).toBeLessThan(5_000);
    expect(dueAt).toBe(startedAt + 7_000);
  });

  test('and that Telnyx tells to be led on is not led on again, though the answer to that came too late', async () => {
    const call = await desk.answered();
    expect(await desk.outbox(call)).toMatchObject([{ commandId: 'link' }]);
    const before = await desk.read(call);
    expect(await desk.deliver(call, 'call.bridged', {}, { to: desk.other })).toMatchObject({
      outcome: 'taken',
    });
    expect(await desk.outbox(call)).toEqual([]);
    const { state, dueAt } = await desk.read(call);
    expect(state).toMatchObject({ startedAt: (before.state as { startedAt: number }).startedAt });
    expect(dueAt).toBe(before.dueAt);
    const leg = desk.telnyx.dial();
    expect(await desk.deliver(leg, 'call.bridged')).toMatchObject({ status: 200, outcome: 'ignored' });
  });

  test('by a caller whose agent is still being started: nobody is asked before it is there', async () => {
    const call = await desk.dial();
    await desk.deliver(call, 'call.answered');
    const { state, dueAt } = await desk.read(call);
    expect(state).toMatchObject({ startedAt: expect.any(Number) });
    expect((dueAt ?? 0) - Date.now()).toBeGreaterThan(120_000);
  });

  test('counts once, at the time at which it happened, however late and often it is told', async () => {
    const call = await desk.dial();
    const at = Date.now() - 2_000;
    const event = call.eventOf('call.answered', {}, at);
    expect(await desk.post(event)).toMatchObject({ outcome: 'taken' });
    const before = await desk.read(call);
    expect(Math.abs((before.state as { startedAt: number }).startedAt - at)).toBeLessThan(100);
    expect(await desk.post(event, desk.other)).toMatchObject({ status: 200, outcome: 'duplicate' });
    expect(await desk.read(call)).toEqual(before);
  });

  test('an hour ago counts from 5 s ago, and in an hour from now', async () => {
    for (const [said, counted] of [
      [-3_600_000, -5_000],
      [3_600_000, 0],
    ] as const) {
      const call = await desk.dial();
      await desk.deliver(call, 'call.answered', {}, { at: Date.now() + said });
      const { startedAt } = (await desk.read(call)).state as { startedAt: number };
      expect(Math.abs(startedAt - (Date.now() + counted))).toBeLessThan(2_000);
    }
  });
});
