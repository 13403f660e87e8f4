import { callReducer, ROOM_UNHEARD } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';
import { type PhoneCall, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TelnyxDesk } from '../testing/telnyx-desk.js';

let desk: TelnyxDesk;
beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());

describe('what is heard', () => {
  const own = { client_state: Buffer.from('greenroom checkin-1').toString('base64') };

  test('puts the question off until the sound has really ended', async () => {
    const call = await desk.answered();
    const at = Date.now();
    await desk.deliver(call, 'call.playback.started', { playback_id: 'p' }, { at });
    expect((await desk.read(call)).dueAt).toBeGreaterThan(at + 60_000);
    await desk.deliver(call, 'call.playback.ended', { playback_id: 'p' }, { at: at + 40, to: desk.other });
    expect((await desk.read(call)).dueAt).toBeLessThanOrEqual(Date.now() + 7_000);
  });

  test('in whatever order it is told, comes to the same', async () => {
    const [first, second] = [await desk.answered(), await desk.answered()];
    const at = Date.now() - 1_000;
    const sounds = [
      ['call.speak.started', {}, at],
      ['call.speak.ended', {}, at + 100],
      ['call.speak.started', {}, at + 200],
      ['call.speak.ended', {}, at + 300],
    ] as const;
    for (const [type, payload, when] of sounds) await desk.deliver(first, type, payload, { at: when });
    for (const index of [3, 1, 2, 0]) {
      const [type, payload, when] = sounds[index]!;
      await desk.deliver(second, type, payload, { at: when, to: index % 2 ? desk.api : desk.other });
    }
    const [one, two] = [await desk.read(first), await desk.read(second)];
    expect(Object.keys((two.state as { playbacks: { open: object } }).playbacks.open)).toEqual([]);
    expect(two.dueAt! - (await startOf(second))).toBeCloseTo(one.dueAt! - (await startOf(first)), -3);
  });

  test('of the agent ends that nobody hears it; what we say ourselves does not', async () => {
    const call = await desk.answered();
    const at = Date.now() - 2_000;
    const unheard = callReducer({ kind: 'work_started', id: ROOM_UNHEARD, at });
    await desk.api.schema.calls.change(call.id, unheard);
    const isUnheard = async () =>
      ROOM_UNHEARD in ((await desk.read(call)).state as { work: { open: object } }).work.open;
    await desk.deliver(call, 'call.speak.started', own, { at: at + 100 });
    await desk.deliver(call, 'call.speak.ended', own, { at: at + 200 });
    expect(await isUnheard()).toBe(true);
    await desk.deliver(call, 'call.playback.started', { playback_id: 'p' }, { at: at + 300 });
    expect(await isUnheard()).toBe(false);
  });

  async function startOf(call: PhoneCall): Promise<number> {
    return ((await desk.read(call)).state as { startedAt: number }).startedAt;
  }

  test('of the caller is heard in words, guesses and keys, and what they were is not kept', async () => {
    const call = await desk.answered();
    const said = {
      transcription_data: {
        transcript: 'my number is secret',
        is_final: true,
        transcription_track: 'inbound',
      },
    };
    for (const [type, payload] of [
      ['call.transcription', said],
      ['call.dtmf.received', { digit: '7' }],
      ['call.gather.ended', { digits: '42', status: 'valid' }],
    ] as const) {
      const before = heardOf(await desk.read(call));
      const at = Math.max(Date.now(), before + 1);
      await waitFor(() => Date.now() > at);
      expect(await desk.deliver(call, type, payload, { at })).toMatchObject({ outcome: 'taken' });
      expect(heardOf(await desk.read(call))).toBeGreaterThan(before);
    }
    expect(await desk.everything()).not.toContain('secret');
    expect(desk.api.log()).not.toContain('secret');
  });

  function heardOf({ state }: CallRecord): number {
    const { words, caller } = state as { words: { finalAt: number }; caller: { startedAt: number } };
    return Math.max(words.finalAt, caller.startedAt);
  }

  test.each([
    ['call.dtmf.received', { digit: '7' }],
    ['call.gather.ended', { digits: '42', status: 'valid' }],
  ])(
    '%s clears the silence and wants no answer: an agent that gives none is not frozen',
    async (type, payload) => {
      const call = await desk.answered();
      await desk.deliver(call, type, payload);
      const { state, dueAt } = await desk.read(call);
      expect(dueAt! - (state as { caller: { endedAt: number } }).caller.endedAt).toBe(7_000);
    },
  );

  test('a key that is pressed meanwhile does not end "hold on"', async () => {
    const call = await desk.answered();
    const at = Date.now() - 100;
    await desk.deliver(
      call,
      'call.transcription',
      { transcription_data: { transcript: 'hold on please', is_final: true } },
      { at },
    );
    await desk.deliver(call, 'call.dtmf.received', { digit: '7' });
    expect((await desk.read(call)).dueAt! - Date.now()).toBeGreaterThan(20_000);
  });

  test('"hold on" has a longer patience', async () => {
    const call = await desk.answered();
    await desk.deliver(call, 'call.transcription', {
      transcription_data: { transcript: 'hold on please', is_final: true },
    });
    expect((await desk.read(call)).dueAt! - Date.now()).toBeGreaterThan(20_000);
  });

  test('proves that the line was spoken which we have asked for', async () => {
    const call = await desk.answered();
    await desk.api.schema.calls.change(call.id, ({ state, dueAt }) => ({
      state,
      dueAt,
      steps: [],
      actions: [{ kind: 'say', commandId: 'checkin-1', text: 'Are you there?', purpose: 'checkin' }],
    }));
    expect(await idsToSend(call)).toContain('checkin-1');
    await desk.deliver(call, 'call.speak.started', own);
    expect(await idsToSend(call)).toEqual(['link']);
  });

  const idsToSend = async (call: PhoneCall) => (await desk.outbox(call)).map(({ commandId }) => commandId);

  test('of somebody else, under the name of a line of ours that is over, is another sound', async () => {
    const call = await desk.answered();
    const at = Date.now();
    await desk.deliver(call, 'call.speak.started', own, { at });
    await desk.deliver(call, 'call.speak.ended', own, { at: at + 50 });
    await desk.deliver(call, 'call.speak.started', own, { at: at + 100 });
    expect((await desk.read(call)).dueAt).toBeGreaterThan(Date.now() + 60_000);
    await desk.deliver(call, 'call.speak.ended', own, { at: at + 150 });
    expect((await desk.read(call)).dueAt).toBeLessThanOrEqual(Date.now() + 7_000);
  });
});
