import { CodedError } from '@greenroom/contracts';
import Joi from 'joi';
import { type PlayedAs, readClientState, readLegState } from './client-state.js';
import type { Sound } from './sounds.js';

/** What one webhook of Telnyx says of a phone call, as far as we use it. */
export type PhoneEvent = {
  /** Names the event, however often it is delivered. */
  readonly eventId: string;
  /** The call_control_id. */
  readonly callId: string;
  /** Milliseconds since 1970, by the clock of Telnyx. */
  readonly occurredAt: number;
} & PhoneEventKind;

export type PhoneEventKind =
  | { readonly kind: 'initiated'; readonly isIncoming: boolean }
  | { readonly kind: 'answered' }
  /** It was led on to the other leg. */
  | { readonly kind: 'bridged' }
  /** That leg, which `legId` names, has ended. */
  | { readonly kind: 'leg_ended'; readonly cause: string; readonly legId: string }
  | { readonly kind: 'playback_started' | 'playback_ended'; readonly sound: Sound }
  | { readonly kind: 'caller_said'; readonly text: string; readonly isFinal: boolean }
  | { readonly kind: 'key_pressed' }
  | { readonly kind: 'hangup'; readonly cause: string; readonly isByCaller: boolean };

interface Webhook {
  readonly data: {
    readonly id: string;
    readonly event_type: string;
    readonly occurred_at: string;
    readonly payload: Payload;
  };
}

interface Payload {
  readonly call_control_id: string;
  readonly client_state?: string | null;
  readonly direction?: string;
  readonly playback_id?: string | null;
  readonly media_url?: string | null;
  readonly media_name?: string | null;
  readonly hangup_cause?: string | null;
  readonly hangup_source?: string | null;
  readonly digits?: string | null;
  readonly digit?: string | null;
  readonly transcription_data?: {
    readonly transcript: string;
    readonly is_final: boolean;
    readonly transcription_track?: string;
  };
}

const MAX_TEXT = 16_384;
const MAX_SOURCE = 256;
const optionalText = Joi.string().allow('', null).max(MAX_TEXT);

/** Part of Redis keys and of addresses: any text that is printable and bounded. Telnyx's have about 60 characters. */
const identifier = Joi.string()
  .max(256)
  .pattern(/^[\x21-\x7e]+$/);

/** Of every event; `unknown()` because Telnyx adds fields whenever it likes. */
const envelope = Joi.object({
  data: Joi.object({
    id: identifier.required(),
    event_type: Joi.string().max(128).required(),
    occurred_at: Joi.string().isoDate().required(),
    payload: Joi.object().unknown().required(),
  })
    .unknown()
    .required(),
})
  .unknown()
  .required();

const payload = Joi.object<Payload>({
  call_control_id: identifier.required(),
  client_state: optionalText,
  direction: optionalText,
  playback_id: identifier.allow(null),
  media_url: optionalText,
  media_name: optionalText,
  hangup_cause: optionalText,
  hangup_source: optionalText,
  digits: optionalText,
  digit: optionalText,
  transcription_data: Joi.object({
    transcript: Joi.string().allow('').max(MAX_TEXT).required(),
    is_final: Joi.boolean().strict().required(),
    transcription_track: optionalText,
  }).unknown(),
}).unknown();

/**
 * @returns undefined for what is none of our business: a fax, a message, the leg that leads to the agent, a kind of event that
 *   nobody knew when this was written
 * @throws CodedError `invalid_json`, or `invalid_request` for an event of a call that is not formed as Telnyx forms it
 */
export function parsePhoneEvent(body: string): PhoneEvent | undefined {
  const { data } = check(envelope, parseJson(body)) as Webhook;
  const read = READERS.get(data.event_type);
  if (!read) return undefined;
  const about = check(payload, data.payload) as Payload;
  const leg = readLegState(about.client_state);
  const kind = leg ? eventOfLeg(read(about), about.call_control_id) : read(about);
  const callId = leg ? leg.callId : about.call_control_id;
  if (kind === undefined || callId === undefined) return undefined;
  return { eventId: data.id, callId, occurredAt: Date.parse(data.occurred_at), ...kind };
}

/** What the leg to the agent tells of its call: whether it leads there. What is heard and said on it is none of the caller's. */
function eventOfLeg(kind: PhoneEventKind | undefined, legId: string): PhoneEventKind | undefined {
  if (kind?.kind === 'bridged') return kind;
  return kind?.kind === 'hangup'
    ? { kind: 'leg_ended', cause: kind.cause.slice(0, MAX_SOURCE), legId }
    : undefined;
}

type Reader = (payload: Payload) => PhoneEventKind | undefined;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['call.initiated', ({ direction }) => ({ kind: 'initiated', isIncoming: direction === 'incoming' })],
  ['call.answered', () => ({ kind: 'answered' })],
  ['call.bridged', () => ({ kind: 'bridged' })],
  ['call.speak.started', (it) => playback('playback_started', 'speak', it)],
  ['call.speak.ended', (it) => playback('playback_ended', 'speak', it)],
  ['call.playback.started', (it) => playback('playback_started', 'playback', it)],
  ['call.playback.ended', (it) => playback('playback_ended', 'playback', it)],
  ['call.transcription', readTranscription],
  ['call.gather.ended', ({ digits }) => keysPressed(digits)],
  ['call.dtmf.received', ({ digit }) => keysPressed(digit)],
  [
    'call.hangup',
    ({ hangup_cause, hangup_source }) => ({
      kind: 'hangup',
      cause: hangup_cause || 'unspecified',
      isByCaller: hangup_source === 'caller',
    }),
  ],
]);

/**
 * What our command gave along tells its sound apart. It comes back with all that is heard later, too: what others play is not
 * ours for that, and Telnyx gives spoken text no id of its own.
 */
function playback(
  kind: 'playback_started' | 'playback_ended',
  how: PlayedAs,
  { client_state, playback_id, media_url, media_name }: Payload,
): PhoneEventKind {
  const own = readClientState(client_state);
  if (own?.how === how) return { kind, sound: { commandId: own.commandId } };
  if (playback_id) return { kind, sound: { playbackId: playback_id } };
  return { kind, sound: { source: (media_url || media_name || how).slice(0, MAX_SOURCE) } };
}

/** What the agent says is transcribed too where somebody has asked Telnyx for both sides. */
function readTranscription({ transcription_data: data }: Payload): PhoneEventKind | undefined {
  if (!data || data.transcription_track === 'outbound' || data.transcript.trim() === '') return undefined;
  return { kind: 'caller_said', text: data.transcript, isFinal: data.is_final };
}

/** Which keys is nobody's business here. */
function keysPressed(digits: string | null | undefined): PhoneEventKind | undefined {
  return digits ? { kind: 'key_pressed' } : undefined;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new CodedError('invalid_json', { cause: error });
  }
}

/** Names no value: what a caller says stands in some. */
function check(schema: Joi.Schema, input: unknown): unknown {
  const { error, value } = schema.validate(input, { convert: false });
  if (!error) return value;
  const field = error.details[0]?.path.join('.') || 'the body';
  throw new CodedError('invalid_request', {
    detail: `${field} is not as Telnyx sends it.`,
    cause: error.details[0]?.type,
  });
}
