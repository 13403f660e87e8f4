import { CodedError } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { writeClientState, writeLegState } from './client-state.js';
import { parsePhoneEvent } from './phone-event.js';

const CALL = `v3:${'x'.repeat(200)}`;
const ABOUT = { eventId: 'event-1', callId: CALL, occurredAt: Date.parse('2026-11-22T10:00:00.123Z') };

function webhook(type: unknown, payload: object = {}, data: object = {}): string {
  return JSON.stringify({
    data: {
      record_type: 'event',
      event_type: type,
      id: 'event-1',
      occurred_at: '2026-11-22T10:00:00.123456Z',
      payload: { call_control_id: CALL, client_state: null, from: '+1', ...payload },
      ...data,
    },
    meta: { attempt: 1 },
  });
}

const ours = writeClientState({ commandId: 'checkin-1', how: 'speak' });
const ourSound = writeClientState({ commandId: 'checkin-1', how: 'playback' });
const ofLeg = writeLegState('v3:the-call');
/** As versions before the present one mark it. */
const EARLIER_LEG = base64('greenroom-leg');
const heard = (transcript: string, is_final: boolean, transcription_track?: string) => ({
  transcription_data: { transcript, is_final, transcription_track, confidence: 0.9 },
});

test.each([
  ['call.initiated', { direction: 'incoming' }, { kind: 'initiated', isIncoming: true }],
  ['call.initiated', { direction: 'outgoing' }, { kind: 'initiated', isIncoming: false }],
  ['call.answered', {}, { kind: 'answered' }],
  [
    'call.speak.started',
    { client_state: ours },
    { kind: 'playback_started', sound: { commandId: 'checkin-1' } },
  ],
  ['call.speak.ended', { client_state: ours }, { kind: 'playback_ended', sound: { commandId: 'checkin-1' } }],
  [
    'call.speak.started',
    { client_state: 'b3RoZXJz' },
    { kind: 'playback_started', sound: { source: 'speak' } },
  ],
  [
    'call.playback.started',
    { client_state: ours, playback_id: 'p1' },
    { kind: 'playback_started', sound: { playbackId: 'p1' } },
  ],
  [
    'call.playback.started',
    { client_state: ourSound, playback_id: 'p1' },
    { kind: 'playback_started', sound: { commandId: 'checkin-1' } },
  ],
  ['call.speak.ended', { client_state: ourSound }, { kind: 'playback_ended', sound: { source: 'speak' } }],
  ['call.bridged', {}, { kind: 'bridged' }],
  [
    'call.playback.ended',
    { media_url: 'https://a/b.mp3' },
    { kind: 'playback_ended', sound: { source: 'https://a/b.mp3' } },
  ],
  ['call.playback.ended', {}, { kind: 'playback_ended', sound: { source: 'playback' } }],
  ['call.transcription', heard('hold on', true), { kind: 'caller_said', text: 'hold on', isFinal: true }],
  [
    'call.transcription',
    heard('hold', false, 'inbound'),
    { kind: 'caller_said', text: 'hold', isFinal: false },
  ],
  ['call.dtmf.received', { digit: '5' }, { kind: 'key_pressed' }],
  ['call.gather.ended', { digits: '123', status: 'valid' }, { kind: 'key_pressed' }],
  [
    'call.hangup',
    { hangup_cause: 'normal_clearing', hangup_source: 'caller' },
    { kind: 'hangup', cause: 'normal_clearing', isByCaller: true },
  ],
  ['call.hangup', { hangup_source: null }, { kind: 'hangup', cause: 'unspecified', isByCaller: false }],
])('%s %p', (type, payload, expected) => {
  expect(parsePhoneEvent(webhook(type, payload))).toEqual({ ...ABOUT, ...expected });
});

test('the leg that leads to the agent tells whether its call is led there', () => {
  const leg = { client_state: ofLeg };
  const about = { ...ABOUT, callId: 'v3:the-call' };
  expect(parsePhoneEvent(webhook('call.bridged', leg))).toEqual({ ...about, kind: 'bridged' });
  expect(parsePhoneEvent(webhook('call.hangup', { ...leg, hangup_cause: 'user_busy' }))).toEqual({
    ...about,
    kind: 'leg_ended',
    cause: 'user_busy',
    legId: CALL,
  });
});

test.each([
  ['what nobody knows yet', webhook('call.painted')],
  ['what is about no call', webhook('fax.received', { call_control_id: undefined })],
  ['the leg that leads to the agent is answered', webhook('call.answered', { client_state: ofLeg })],
  ['the caller on that leg', webhook('call.transcription', { client_state: ofLeg, ...heard('hi', true) })],
  ['such a leg of an earlier version ends', webhook('call.hangup', { client_state: EARLIER_LEG })],
  ['one whose state names no call', webhook('call.hangup', { client_state: base64('greenroom-leg a b') })],
  ['words of the agent', webhook('call.transcription', heard('How can I help?', true, 'outbound'))],
  ['a transcription of nothing', webhook('call.transcription', heard(' ', true))],
  ['a gather in which no key was pressed', webhook('call.gather.ended', { digits: '', status: 'timeout' })],
])('is of no interest: %s', (_, body) => {
  expect(parsePhoneEvent(body)).toBeUndefined();
});

describe('is refused, without a word of what stood in it', () => {
  const PRIVATE = 'my insurance number';
  test.each([
    ['no JSON', `{"data": ${PRIVATE}`],
    ['nothing', ''],
    ['a text', JSON.stringify(PRIVATE)],
    ['null', 'null'],
    ['a list', '[]'],
    ['no data', '{}'],
    ['data that is a list', '{"data":[]}'],
    ['a type that is no text', webhook(7)],
    ['no id', webhook('call.answered', {}, { id: undefined })],
    ['an id with a line break', webhook('call.answered', {}, { id: 'a\nb' })],
    ['an id of 10,000 characters', webhook('call.answered', {}, { id: 'x'.repeat(10_000) })],
    ['a time that is none', webhook('call.answered', {}, { occurred_at: 'yesterday' })],
    ['a time that is a number', webhook('call.answered', {}, { occurred_at: 5 })],
    ['a payload that is a list', webhook('call.answered', {}, { payload: [] })],
    ['no call', webhook('call.answered', { call_control_id: undefined })],
    ['a call that is a number', webhook('call.answered', { call_control_id: 5 })],
    ['a call with blanks', webhook('call.answered', { call_control_id: 'a b' })],
    ['a call of nothing', webhook('call.answered', { call_control_id: '' })],
    ['a call of 300 characters', webhook('call.answered', { call_control_id: 'x'.repeat(300) })],
    [
      'words that are an object',
      webhook('call.transcription', { transcription_data: { transcript: { PRIVATE } } }),
    ],
    [
      'words that may be final',
      webhook('call.transcription', { transcription_data: { transcript: PRIVATE, is_final: 'yes' } }),
    ],
    ['endless words', webhook('call.transcription', heard(PRIVATE.repeat(10_000), true))],
    ['a state that is an object', webhook('call.speak.ended', { client_state: {} })],
  ])('%s', (_, body) => {
    let error: unknown;
    try {
      parsePhoneEvent(body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CodedError);
    expect(['invalid_json', 'invalid_request']).toContain((error as CodedError).code);
    expect((error as CodedError).message).not.toContain('insurance');
  });
});

test('a prototype that a body brings along changes nothing', () => {
  const body = webhook('call.answered').replace('"payload":{', '"payload":{"__proto__":{"kind":"hangup"},');
  expect(parsePhoneEvent(body)).toEqual({ ...ABOUT, kind: 'answered' });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
