import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { INCOMING, TelnyxDesk } from '../testing/telnyx-desk.js';

let desk: TelnyxDesk;
beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());

describe('the end', () => {
  test('the caller hangs up: the session ends as such, and nothing of the call is left', async () => {
    const call = await desk.answered();
    const { sessionId } = await desk.read(call);
    await desk.deliver(
      call,
      'call.hangup',
      { hangup_cause: 'normal_clearing', hangup_source: 'caller' },
      { to: desk.other },
    );
    const { body } = await desk.api.adminGet(`/api/session/${sessionId}`);
    expect(body).toMatchObject({ code: 'session_ended', endReason: 'caller_hung_up' });
    expect(await desk.redis.command('KEYS', `*${call.id}*`)).toEqual([]);
    expect(await desk.redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('whatever comes after it is of no interest', async () => {
    const call = await desk.answered();
    const initiated = call.eventOf('call.initiated', INCOMING);
    await desk.deliver(call, 'call.hangup');
    for (const type of ['call.speak.ended', 'call.transcription', 'call.hangup', 'call.playback.started']) {
      const payload = { transcription_data: { transcript: 'x', is_final: true } };
      expect(await desk.deliver(call, type, payload)).toMatchObject({ status: 200, outcome: 'ignored' });
    }
    await desk.post(initiated);
    const { body } = await desk.api.adminGet('/api/sessions');
    expect(body.sessions).toEqual([]);
  });

  test('the session ends for another reason: the phone is to be hung up', async () => {
    const call = await desk.answered();
    const { sessionId } = await desk.read(call);
    await desk.spawner.claimNext();
    await desk.api.adminPost('/api/session/end', { sessionId });
    expect(await desk.outbox(call)).toMatchObject([{ kind: 'end' }]);
    expect(
      await desk.deliver(call, 'call.transcription', {
        transcription_data: { transcript: 'hello?', is_final: true },
      }),
    ).toMatchObject({
      outcome: 'ignored',
    });
    await desk.deliver(call, 'call.hangup', { hangup_source: 'callee' });
    expect(await desk.redis.command('KEYS', `*${call.id}*`)).toEqual([]);
  });

  test('the news of an answer comes after it: what is kept for a call that may follow goes by itself', async () => {
    const call = await desk.answered();
    await desk.deliver(call, 'call.hangup');
    await desk.deliver(call, 'call.answered');
    expect(await desk.outbox(call)).toEqual([]);
    const keys = (await desk.redis.command('KEYS', `*${call.id}*`)) as string[];
    for (const key of keys)
      expect(await desk.redis.command('TTL', key)).toBeLessThanOrEqual(key.endsWith(':events') ? 3600 : 180);
    expect(await desk.redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('it comes before the call itself: nobody waits for it', async () => {
    const call = desk.telnyx.dial();
    expect(await desk.deliver(call, 'call.hangup')).toMatchObject({ status: 200, outcome: 'ignored' });
    expect(await desk.redis.command('KEYS', `*${call.id}*`)).toEqual([]);
  });
});
