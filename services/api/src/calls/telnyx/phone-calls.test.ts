import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type PhoneCall, waitFor } from '@greenroom/test-kit';
import { PhoneExchange } from '../../testing/phone-exchange.js';

const SILENCE_MS = 1_000;
let exchange: PhoneExchange;

beforeAll(async () => {
  exchange = await PhoneExchange.open({
    maxSessions: 2,
    settings: {
      silence_timeout_normal: SILENCE_MS / 1000,
      disconnect_delay: 0.4,
      max_checkins_before_disconnect: 1,
      checkin_message: 'Hello?',
    },
  });
});
afterAll(() => exchange.close());
afterEach(() => exchange.clear());

test('a caller who says nothing is asked once and then hung up on, and the session ends for it', async () => {
  const { call, sessionId } = await exchange.connect();
  expect(call.status).toBe('answered');
  expect(call.isTranscribed).toBe(true);
  expect(call.legs[0]!.to).toMatch(/^sip:greenroom-.*@sip\.example\.test$/);
  const asked = await call.waitForCommand('speak');
  expect(asked.body).toMatchObject({ payload: 'Hello?' });
  await call.waitForCommand('hangup');
  expect(call.status).toBe('ended');
  expect(await exchange.endOf(sessionId)).toBe('dead_air');
  await exchange.nothingIsLeft(call);
  for (const action of ['answer', 'transfer', 'speak', 'hangup'])
    expect(call.commands(action)).toHaveLength(1);
});

test('a caller who goes on talking is not asked, and hangs up: the session ends with that', async () => {
  const { call, sessionId } = await exchange.connect();
  for (let n = 0; n < 4; n += 1) await call.callerSays('and another thing', 400);
  expect(call.commands('speak')).toEqual([]);
  call.hangup();
  await waitFor(async () => (await exchange.endOf(sessionId)) === 'caller_hung_up');
  await exchange.nothingIsLeft(call);
});

describe('where the question is a sound', () => {
  const SOUND = 'https://sounds.example.test/are-you-there.mp3';

  async function connectWithSound(): Promise<PhoneCall> {
    const { call, sessionId } = await exchange.connect();
    const { api } = exchange.apis[0];
    const path = `/api/session/${sessionId}/settings`;
    expect((await api.adminPatch(path, { checkin_audio_url: SOUND })).status).toBe(200);
    return call;
  }

  test('it is played in place of the text, and the call ends after the sound, not before', async () => {
    const call = await connectWithSound();
    const played = await call.waitForCommand('playback_start');
    expect(played.body).toMatchObject({ audio_url: SOUND });
    const hangup = await call.waitForCommand('hangup');
    const ended = await call.waitForEvent('call.playback.ended');
    expect(hangup.at - Date.parse(ended.occurred_at)).toBeGreaterThan(300);
    expect(call.commands('speak')).toEqual([]);
    expect(call.commands('playback_start')).toHaveLength(1);
    await exchange.nothingIsLeft(call);
  });

  test('a caller who interrupts it stops it', async () => {
    const call = await connectWithSound();
    await call.waitForEvent('call.playback.started');
    await call.callerSays('yes, one moment', 50);
    await call.waitForCommand('playback_stop');
    expect((await call.waitForEvent('call.playback.ended')).payload).toMatchObject({ status: 'cancelled' });
    call.hangup();
    await exchange.nothingIsLeft(call);
  });
});

test('while the agent is heard nobody is asked', async () => {
  const call = exchange.telnyx.dial();
  await call.waitForCommand('answer');
  await exchange.agentIsThere(call);
  const ended = await call.agentSpeaks(SILENCE_MS * 1.5, 'speak');
  const asked = await call.waitForCommand('speak');
  expect(asked.at - ended).toBeGreaterThan(SILENCE_MS - 100);
});

test('a caller who cannot be led to the agent is told so and hung up on, and the agent is not replaced', async () => {
  exchange.telnyx.transfersGo('rings');
  const { call, sessionId } = await exchange.connect();
  await call.callerSays('hello?', 100);
  call.legs[0]!.hangup('callee', 'timeout');
  const told = await call.waitForCommand('speak');
  expect(told.body).toMatchObject({ payload: expect.stringContaining('went wrong on our side') });
  await call.waitForCommand('hangup');
  expect(await exchange.endOf(sessionId)).toBe('start_failed');
  await exchange.nothingIsLeft(call);
  for (const action of ['transfer', 'speak', 'hangup']) expect(call.commands(action)).toHaveLength(1);
});

describe('a session that ends for another reason', () => {
  test('has its phone hung up, however often Telnyx fails to take that', async () => {
    const { call, sessionId } = await exchange.connect();
    exchange.telnyx.disturb({ kind: 'fail', status: 503 }, 2, (_, action) => action === 'hangup');
    await exchange.apis[1].api.adminPost('/api/session/end', { sessionId });
    await call.waitForCommand('hangup');
    await exchange.nothingIsLeft(call);
    expect(call.requests.filter(({ action }) => action === 'hangup').map(({ outcome }) => outcome)).toEqual([
      'failed',
      'failed',
      'done',
    ]);
  });

  test('before the phone was answered, too', async () => {
    exchange.telnyx.disturb({ kind: 'fail', status: 500 }, 1_000, (_, action) => action === 'answer');
    const call = exchange.telnyx.dial();
    await waitFor(() => call.requests.some(({ action }) => action === 'answer'));
    const { sessionId } = (await exchange.schema.calls.read(call.id))!;
    await exchange.apis[0].api.adminPost('/api/session/end', { sessionId });
    await call.waitForCommand('hangup');
    await exchange.nothingIsLeft(call);
  });
});

test('a webhook does not wait for a Telnyx that hangs, and what it took too long for is sent again', async () => {
  exchange.telnyx.disturb({ kind: 'hang' }, 1, (_, action) => action === 'answer');
  const call = exchange.telnyx.dial();
  await exchange.telnyx.settled();
  expect(call.status).toBe('ringing');
  await call.waitForCommand('transfer');
  expect(call.requests.filter(({ action }) => action === 'answer').map(({ outcome }) => outcome)).toEqual([
    'hung',
    'done',
  ]);
});

test('a caller who has hung up before the answer leaves nothing: the answer comes too late', async () => {
  const call = exchange.telnyx.dial();
  // Its news is lost, or comes before that of the call.
  exchange.telnyx.deliverTo([]);
  call.hangup();
  exchange.listen();
  await waitFor(() => call.requests.some(({ outcome }) => outcome === 'refused'));
  await exchange.nothingIsLeft(call);
  const { body } = await exchange.apis[0].api.adminGet('/api/sessions');
  expect(body.sessions.filter(({ status }: { status: string }) => status !== 'ending')).toEqual([]);
});

test('a full house is a busy signal, and nothing of it is left', async () => {
  await exchange.apis[0].api.start();
  await exchange.apis[0].api.start();
  const call = exchange.telnyx.dial();
  expect((await call.waitForCommand('reject')).body).toMatchObject({ cause: 'USER_BUSY' });
  await exchange.nothingIsLeft(call);
  expect(call.commands('answer')).toEqual([]);
});
