import type { PhoneCall } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { writeLegState } from '../calls/telnyx/client-state.js';
import { TelnyxDesk } from '../testing/telnyx-desk.js';

/** What Telnyx tells of the leg that leads a call to its agent: by SIP a call of its own, in which nobody is that we know. */
let desk: TelnyxDesk;
beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());

const BUSY = { hangup_cause: 'user_busy', hangup_source: 'callee' };

/** An event of the leg of that call. */
function ofLeg(call: PhoneCall, type: string, payload: object = {}) {
  const leg = desk.telnyx.dial();
  return { leg, event: leg.eventOf(type, { client_state: writeLegState(call.id), ...payload }) };
}

async function failuresOf(call: PhoneCall): Promise<object[]> {
  const { sessionId } = await desk.read(call);
  const entries = (await desk.redis.command('XRANGE', `stream:${sessionId}`, '-', '+')) as [
    string,
    string[],
  ][];
  return entries.filter(([, fields]) => fields.join(' ').includes('transfer_failed'));
}

async function dueInMs(call: PhoneCall): Promise<number> {
  return ((await desk.read(call)).dueAt ?? Number.NaN) - desk.api.schema.clock.now();
}

test('it ends before it leads anywhere: that is told, with its cause, and the caller is not kept waiting', async () => {
  const call = await desk.answered();
  const { event } = ofLeg(call, 'call.hangup', BUSY);
  expect(await desk.post(event)).toMatchObject({ status: 200, outcome: 'taken' });
  const [failure, ...others] = await failuresOf(call);
  expect(JSON.stringify(failure)).toContain('user_busy');
  expect(others).toEqual([]);
  expect(await dueInMs(call)).toBeLessThanOrEqual(0);
  // It was taken, whatever became of the answer to it.
  expect(await desk.outbox(call)).toEqual([]);
});

test('that is told twice, to two instances, and is one failure', async () => {
  const call = await desk.answered();
  const { leg, event } = ofLeg(call, 'call.hangup', BUSY);
  await Promise.all([desk.post(event), desk.post(event, desk.other)]);
  expect(await desk.post(event, desk.other)).toMatchObject({ status: 200, outcome: 'duplicate' });
  await desk.post(leg.eventOf('call.hangup', { client_state: writeLegState(call.id), ...BUSY }), desk.other);
  expect(await failuresOf(call)).toHaveLength(1);
});

test.each(['its own call', 'the leg'])(
  'it ends after %s was told to be led there: that is no failure',
  async (by) => {
    const call = await desk.answered();
    const before = await desk.read(call);
    const bridged = by === 'the leg' ? ofLeg(call, 'call.bridged').event : call.eventOf('call.bridged');
    expect(await desk.post(bridged)).toMatchObject({ outcome: 'taken' });
    expect(await desk.outbox(call)).toEqual([]);
    await desk.post(ofLeg(call, 'call.hangup', { hangup_cause: 'normal_clearing' }).event, desk.other);
    expect(await failuresOf(call)).toEqual([]);
    expect((await desk.read(call)).dueAt).toBe(before.dueAt);
  },
);

test('it ends, and that it had led there is told only then: the call goes on', async () => {
  const call = await desk.answered();
  const before = await desk.read(call);
  const bridged = ofLeg(call, 'call.bridged').event;
  await desk.post(ofLeg(call, 'call.hangup', { hangup_cause: 'normal_clearing' }).event);
  await desk.post(bridged, desk.other);
  expect((await desk.read(call)).dueAt).toBe(before.dueAt);
});

test('it ends because its caller has hung up meanwhile: that is no failure', async () => {
  const call = await desk.answered();
  await desk.post(ofLeg(call, 'call.hangup', { hangup_cause: 'originator_cancel' }).event);
  expect(await failuresOf(call)).toEqual([]);
});

test('nothing else of it is anybody’s business, and after the end of its call nothing at all', async () => {
  const call = await desk.answered();
  const before = await desk.read(call);
  const words = { transcription_data: { transcript: 'How can I help?', is_final: true } };
  for (const [type, payload] of [
    ['call.initiated', { direction: 'outgoing' }],
    ['call.answered', {}],
    ['call.speak.started', {}],
    ['call.transcription', words],
  ] as const) {
    const { leg, event } = ofLeg(call, type, payload);
    expect(await desk.post(event)).toMatchObject({ status: 200, outcome: 'ignored' });
    expect(await desk.api.schema.calls.read(leg.id)).toBeUndefined();
  }
  expect(await desk.read(call)).toEqual(before);
  await desk.deliver(call, 'call.hangup');
  const { event } = ofLeg(call, 'call.hangup', BUSY);
  expect(await desk.post(event)).toMatchObject({ status: 200, outcome: 'ignored' });
});

test('an api of the version before takes its answer for that of a call that it does not know yet: that goes with the leg', async () => {
  const call = await desk.answered();
  const { leg, event } = ofLeg(call, 'call.hangup', { hangup_cause: 'normal_clearing' });
  // As that version reads it.
  await desk.post(leg.eventOf('call.answered', { client_state: null }), desk.other);
  expect(await desk.api.schema.calls.read(leg.id)).toBeDefined();
  await desk.post(call.eventOf('call.bridged'));
  await desk.post(event);
  expect(await desk.api.schema.calls.read(leg.id)).toBeUndefined();
  expect(await desk.read(call)).toMatchObject({ callId: call.id });
});
