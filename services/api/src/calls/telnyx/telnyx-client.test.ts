import { Counter, Gauge, Registry } from '@greenroom/service-kit';
import { type PhoneCall, startTelnyx, type TestTelnyx, waitFor } from '@greenroom/test-kit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeldBackError } from '../call-sender.js';
import { readClientState, readLegState } from './client-state.js';
import type { PhoneCommand } from './phone-command.js';
import { TelnyxClient } from './telnyx-client.js';
import { TelnyxAwayError } from './telnyx-outcome.js';

let telnyx: TestTelnyx;
let client: TelnyxClient;
let gauge: Gauge;
let counter: Counter<'command' | 'outcome'>;
let call: PhoneCall;
let told: string[];

beforeEach(async () => {
  telnyx = await startTelnyx();
  told = [];
  client = open();
  call = telnyx.dial();
});
afterEach(async () => {
  await telnyx.stop();
});

function open(
  options: { apiKey?: string; transcription?: 'on' | 'off'; apiUrl?: string } = {},
): TelnyxClient {
  const registers = [new Registry()];
  gauge = new Gauge({ name: 'open', help: 'open', registers });
  counter = new Counter({ name: 'sent', help: 'sent', labelNames: ['command', 'outcome'], registers });
  return new TelnyxClient({
    apiKey: telnyx.apiKey,
    apiUrl: telnyx.url,
    voice: 'AWS.Polly.Joanna',
    language: 'de-DE',
    transcription: 'on',
    logger: { warn: tell, info: tell } as never,
    gauge,
    commands: counter,
    ...options,
  });
}

const tell = (text: string) => void told.push(text);
const send = (id: string, command: PhoneCommand) => client.send(call.id, id, command);
const HANGUP = { kind: 'hangup' } as const;

test('answers with transcription of the caller, whose guesses are told too', async () => {
  expect(await send('answer', { kind: 'answer' })).toEqual({ status: 'done' });
  const { body, commandId } = call.commands('answer')[0]!;
  expect(commandId).toBe('answer');
  expect(body).toMatchObject({
    transcription: true,
    transcription_config: {
      transcription_engine: 'Google',
      transcription_engine_config: { language: 'de-DE', interim_results: true },
      transcription_tracks: 'inbound',
    },
  });
  expect(body).not.toHaveProperty('stream_url');
});

test('without transcription where that is the setting, and with its audio on the way to a bridge', async () => {
  client = open({ transcription: 'off' });
  await send('answer', { kind: 'answer', streamUrl: 'wss://bridge.test/abc' });
  const { body } = call.commands('answer')[0]!;
  expect(body).toMatchObject({ stream_url: 'wss://bridge.test/abc' });
  expect(body).not.toHaveProperty('transcription');
});

test('each kind of command gets to the call that it is for', async () => {
  await send('answer', { kind: 'answer' });
  await send('checkin-1', { kind: 'speak', text: 'Are you still there?' });
  await send('music', { kind: 'playback_start', audioUrl: 'https://example.test/a.mp3' });
  await send('stop', { kind: 'playback_stop' });
  await send('link', { kind: 'transfer', to: 'sip:room@sip.example.test' });
  await send('end', HANGUP);
  expect(call.commands().map(({ action, commandId }) => [action, commandId])).toEqual([
    ['answer', 'answer'],
    ['speak', 'checkin-1'],
    ['playback_start', 'music'],
    ['playback_stop', 'stop'],
    ['transfer', 'link'],
    ['hangup', 'end'],
  ]);
  const bodies = new Map(call.commands().map(({ action, body }) => [action, body]));
  expect(bodies.get('speak')).toMatchObject({
    payload: 'Are you still there?',
    voice: 'AWS.Polly.Joanna',
    language: 'de-DE',
  });
  const stateOf = (action: string) => readClientState(String(bodies.get(action)?.client_state));
  expect(stateOf('speak')).toEqual({ commandId: 'checkin-1', how: 'speak' });
  expect(stateOf('playback_start')).toEqual({ commandId: 'music', how: 'playback' });
  // Another state in between would rename what is being spoken.
  for (const [action, body] of bodies) {
    if (action !== 'speak' && action !== 'playback_start') expect(body).not.toHaveProperty('client_state');
  }
  expect(readLegState(String(bodies.get('transfer')?.target_leg_client_state))).toEqual({ callId: call.id });
  expect(bodies.get('playback_start')).toMatchObject({ audio_url: 'https://example.test/a.mp3' });
  expect(bodies.get('transfer')).toMatchObject({ to: 'sip:room@sip.example.test' });
  const other = telnyx.dial();
  expect(await client.send(other.id, 'reject', { kind: 'reject' })).toEqual({ status: 'done' });
  expect(other.commands('reject')[0]!.body).toMatchObject({ cause: 'USER_BUSY' });
});

test('what is spoken in place of another line is known as that line', async () => {
  await send('answer', { kind: 'answer' });
  await send('checkin-1-text', { kind: 'speak', text: 'Hello?', lineId: 'checkin-1' });
  const [spoken] = call.commands('speak');
  expect(readClientState(String(spoken?.body.client_state))).toEqual({
    commandId: 'checkin-1',
    how: 'speak',
  });
});

test('what an answer was lost of is sent again with the same id, and happens once', async () => {
  await send('answer', { kind: 'answer' });
  telnyx.disturb({ kind: 'lose' }, 1);
  await expect(send('checkin-1', { kind: 'speak', text: 'Hello?' })).rejects.toThrow(TelnyxAwayError);
  expect(await send('checkin-1', { kind: 'speak', text: 'Hello?' })).toEqual({ status: 'done' });
  expect(call.commands('speak')).toHaveLength(1);
});

describe('a call that is over', () => {
  test('takes no command any more, and that is no fault', async () => {
    await send('answer', { kind: 'answer' });
    call.hangup();
    expect(await send('end', HANGUP)).toEqual({ status: 'gone' });
    expect(await send('checkin-1', { kind: 'speak', text: 'Hello?' })).toEqual({ status: 'gone' });
  });

  test('so does one that nobody knows, whatever its id looks like', async () => {
    for (const id of ['v3:nobody', 'nonsense', `v3:${'x'.repeat(200)}`, 'a/../b?c=d']) {
      expect(await client.send(id, 'end', HANGUP)).toEqual({ status: 'gone' });
    }
  });
});

test('a command that Telnyx will never take is refused, by numbers and not by words', async () => {
  expect(await send('checkin-1', { kind: 'speak', text: 'Hello?' })).toEqual({
    status: 'refused',
    problem: 'Telnyx answered 422 90034',
  });
});

test('a wrong key is worth another attempt: somebody may repair it', async () => {
  client = open({ apiKey: 'another' });
  await expect(send('end', HANGUP)).rejects.toThrow('Telnyx answered 401');
});

test('one that does not answer is not waited for longer than 2 s', async () => {
  telnyx.disturb({ kind: 'hang' }, 1);
  const began = performance.now();
  await expect(send('end', HANGUP)).rejects.toThrow(TelnyxAwayError);
  expect(performance.now() - began).toBeLessThan(4_000);
});

const isOpen = async () => (await gauge.get()).values[0]?.value === 1;

/** As often as it takes Telnyx to count as failing. */
async function failUntilLeftAlone(): Promise<void> {
  for (let time = 1; time <= 5; time += 1) await expect(send('end', HANGUP)).rejects.toThrow(TelnyxAwayError);
  expect(await isOpen()).toBe(true);
}

test('one whose answer begins and does not end is not waited for longer than 2 s either', async () => {
  telnyx.disturb({ kind: 'stall' }, 1);
  const began = performance.now();
  await expect(send('end', HANGUP)).rejects.toThrow('Telnyx did not answer in time');
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('a Telnyx that fails again and again is left alone, but for a trial, until it answers', async () => {
  telnyx.disturb({ kind: 'fail', status: 503 });
  await failUntilLeftAlone();
  const heard = call.requests.length;
  await expect(send('end', HANGUP)).rejects.toThrow(HeldBackError);
  expect(call.requests).toHaveLength(heard);

  telnyx.mend();
  await waitFor(async () => (await send('end', HANGUP).catch(() => undefined))?.status === 'done');
  expect(await isOpen()).toBe(false);
  const outcomes = (await counter.get()).values.map(({ labels }) => labels.outcome);
  expect(new Set(outcomes)).toEqual(new Set(['failed', 'held_back', 'done']));
});

test('after a hiccup it is tried again before a step of a call would be late, after each failed trial later', async () => {
  telnyx.disturb({ kind: 'cut' });
  await failUntilLeftAlone();
  const openedAt = performance.now();
  const trials: number[] = [];
  while (trials.length < 3) {
    const error: unknown = await send('end', HANGUP).catch((it: unknown) => it);
    if (error instanceof TelnyxAwayError) trials.push(performance.now() - openedAt);
    else await sleep(5);
  }
  const [first = 0, second = 0, third = 0] = trials;
  expect(first).toBeGreaterThan(200);
  expect(first).toBeLessThan(400);
  expect(second - first).toBeGreaterThan(450);
  expect(third - second).toBeGreaterThan(950);
  expect(told).toEqual(['Telnyx fails: commands for phone calls wait']);
});

test.each([
  ['is slow', { kind: 'hang' }],
  ['refuses some commands for now', { kind: 'fail', status: 409 }],
] as const)('a Telnyx that %s is asked all the same', async (_, fault) => {
  telnyx.disturb(fault);
  await Promise.all(
    Array.from({ length: 12 }, () => expect(send('end', HANGUP)).rejects.toThrow(TelnyxAwayError)),
  );
  expect(await isOpen()).toBe(false);
  telnyx.mend();
  expect(await send('end', HANGUP)).toEqual({ status: 'done' });
});

test('a trial that is answered too late is no failure: what waits is sent', async () => {
  telnyx.disturb({ kind: 'fail', status: 500 });
  await failUntilLeftAlone();
  telnyx.disturb({ kind: 'hang' }, 1);
  await waitFor(async () => {
    const error: unknown = await send('end', HANGUP).catch((it: unknown) => it);
    return error instanceof TelnyxAwayError && error.why === 'slow';
  });
  expect(await isOpen()).toBe(false);
});
