import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { beginPhone } from '@greenroom/dead-air';
import type { SessionRecord } from '@greenroom/redis-schema';
import type { PhoneCall } from '@greenroom/test-kit';
import { HOST } from '../testing/test-api.js';
import { INCOMING, TelnyxDesk } from '../testing/telnyx-desk.js';

/** A phone call whose agent runs, and whose data is lost: what a host still knows of it. */
let desk: TelnyxDesk;
let call: PhoneCall;
let initiated: object;
let session: SessionRecord;
let launch: string;

beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());
beforeEach(async () => {
  call = desk.telnyx.dial();
  initiated = call.eventOf('call.initiated', INCOMING);
  expect(await desk.post(initiated)).toMatchObject({ outcome: 'taken' });
  const ref = await desk.spawner.launchNext();
  launch = ref.launch;
  expect(await desk.deliver(call, 'call.answered')).toMatchObject({ outcome: 'taken' });
  const found = await desk.api.schema.sessions.read(ref.sessionId);
  if (found.status !== 'live') throw new Error(found.status);
  session = found.session;
  await desk.redis.command('FLUSHALL');
  await desk.spawner.heartbeat();
});

function publish() {
  const ref = { sessionId: session.id, generation: 1, launch };
  const process = { pid: 4242, pgid: 4242, startTime: '1' };
  return desk.api.schema.sessions.publishLaunch(ref, HOST, session, process);
}

/** Everybody has published what they have. */
async function recover(): Promise<void> {
  const startedAt = Number(await desk.redis.command('HGET', 'recovery', 'startedAt')) - 10_000;
  await desk.redis.command('HSET', 'recovery', 'startedAt', startedAt);
  await desk.redis.command('HSET', 'recovery', `published:${HOST}`, '1');
  await desk.spawner.heartbeat();
  await desk.spawner.register();
}

/** As its spawner does when it sees that the recovery is over. */
function open() {
  return desk.api.schema.calls.open({
    callId: call.id,
    medium: 'phone',
    sessionId: session.id,
    state: beginPhone(Date.now()),
    settings: {},
    facts: { room: session.roomName },
    dueAt: undefined,
  });
}

test('told again that it comes in, it has the session that it has: not before anybody knows, nor twice after that', async () => {
  expect(await desk.post(initiated)).toMatchObject({ status: 503, code: 'recovering' });
  await publish();
  expect(await desk.post(initiated, desk.other)).toMatchObject({ outcome: 'duplicate' });
  await recover();
  expect(await desk.post(initiated)).toMatchObject({ outcome: 'duplicate' });
  await open();
  expect(await desk.post(initiated, desk.other)).toMatchObject({ outcome: 'duplicate' });
  expect(await desk.sessionIds()).toEqual([session.id]);
  expect(await desk.outbox(call)).toEqual([]);
});

test.each([
  ['before its host has published it', [publish, recover]],
  ['before the recovery is over', [recover]],
  ['before its host has opened it', []],
] as const)('hung up %s it ends, and nothing of it is left', async (when, rest) => {
  if (when !== 'before its host has published it') await publish();
  if (when === 'before its host has opened it') await recover();
  const hangup = call.eventOf('call.hangup', { hangup_cause: 'normal_clearing', hangup_source: 'caller' });
  expect(await desk.post(hangup)).toMatchObject({ status: 200, outcome: 'taken' });
  if (when === 'before its host has published it') {
    expect(await desk.post(initiated)).toMatchObject({ outcome: 'duplicate' });
  }
  for (const step of rest) await step();
  expect(await open()).toEqual({ status: 'session_over' });
  const { body } = await desk.api.adminGet('/api/sessions');
  expect(body.sessions).toMatchObject([{ sessionId: session.id, status: 'ending' }]);
  await desk.api.schema.sessions.finishEnd(session.id, 1);
  const ended = await desk.api.adminGet(`/api/session/${session.id}`);
  expect(ended.body).toMatchObject({ code: 'session_ended', endReason: 'caller_hung_up' });
  expect(await desk.redis.command('KEYS', `*${call.id}*`)).toEqual([]);
  expect(await desk.redis.command('ZCARD', 'calls:due')).toBe(0);
});
