import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Audio } from './audio.js';
import { CallRecord } from './call-record.js';
import type { LegFate, ReceivedCommand, TelnyxEvent } from './types.js';

const INTERIM_EVERY_MS = 300;

export interface CallOptions {
  readonly from?: string;
  readonly to?: string;
}

/** What a call needs of the network it belongs to. */
export interface Exchange {
  readonly connectionId: string;
  send(event: TelnyxEvent): void;
  /** How long a text takes to be spoken. */
  speakMs(text: string): number;
  /** Another leg of the same call. */
  addLeg(of: PhoneCall, to: string): PhoneCall;
  /** What becomes of the next one. */
  fateOfLeg(): LegFate;
}

type Status = 'ringing' | 'answered' | 'ended';
type Payload = Readonly<Record<string, unknown>>;

/** A phone call as its caller and its agent make it, and as Telnyx tells of it. */
export class PhoneCall extends CallRecord {
  /** The call_control_id. */
  readonly id = `v3:${randomBytes(40).toString('base64url')}`;
  readonly legId = randomUUID();
  readonly from: string;
  readonly to: string;
  readonly startedAt = Date.now();
  readonly audio = new Audio();
  #status: Status = 'ringing';
  #isTranscribed = false;
  #isGathering = false;
  /** What the last command gave: it is in every later webhook. */
  #clientState: string | null = null;
  readonly #legs: PhoneCall[] = [];

  constructor(
    private readonly exchange: Exchange,
    { from = '+15550100001', to = '+15550100002' }: CallOptions,
    readonly direction: 'incoming' | 'outgoing' = 'incoming',
    readonly sessionId: string = randomUUID(),
  ) {
    super();
    this.from = from;
    this.to = to;
  }

  get status(): Status {
    return this.#status;
  }

  get isTranscribed(): boolean {
    return this.#isTranscribed;
  }

  get legs(): readonly PhoneCall[] {
    return this.#legs;
  }

  /** The caller's telephone rings through: `call.initiated`. */
  initiate(): void {
    const state = this.direction === 'incoming' ? 'parked' : 'bridging';
    this.tell('call.initiated', { ...this.#parties(), direction: this.direction, state });
  }

  answer(): void {
    this.#status = 'answered';
    this.tell('call.answered', { ...this.#parties(), state: 'answered' });
  }

  /**
   * Something is played to the caller that no command here has asked for, as the agent's voice is: over whatever is heard already.
   * @param kind whether it is told as a playback or as spoken text
   * @returns when it ended
   */
  agentSpeaks(durationMs: number, kind: 'playback' | 'speak' = 'playback'): Promise<number> {
    return this.hears(sleep(durationMs), kind);
  }

  /** The same, for as long as something else takes. */
  async hears(during: Promise<unknown>, kind: 'playback' | 'speak' = 'playback'): Promise<number> {
    const about = kind === 'playback' ? { ...aPlayback(), overlay: true } : {};
    this.tell(`call.${kind}.started`, about);
    await during;
    if (this.#status === 'ended') return Date.now();
    return this.tell(`call.${kind}.ended`, { ...about, status: 'completed' });
  }

  /**
   * The caller says something: guesses while it lasts, the words at its end.
   * @returns when it ended
   * @throws when nobody has asked for transcription: the real Telnyx would be silent then
   */
  async callerSays(text: string, durationMs = 600): Promise<number> {
    if (!this.#isTranscribed) throw new Error('transcription of this call has not been started');
    const words = text.split(' ');
    const guesses = Math.max(1, Math.floor(durationMs / INTERIM_EVERY_MS));
    for (let guess = 1; guess <= guesses; guess += 1) {
      this.#transcribe(words.slice(0, Math.ceil((words.length * guess) / guesses)).join(' '), false);
      await sleep(durationMs / guesses);
    }
    return this.#transcribe(text, true);
  }

  /** The caller presses keys. */
  presses(digits: string): void {
    for (const digit of digits) this.tell('call.dtmf.received', { ...this.#parties(), digit });
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.tell('call.gather.ended', { ...this.#parties(), digits, status: 'valid' });
  }

  /** The caller hangs up, or with `callee` we do, or who is called. */
  hangup(source: 'caller' | 'callee' = 'caller', cause = 'normal_clearing'): void {
    if (this.#status === 'ended') return;
    this.audio.stop('all', 'call_hangup');
    this.#status = 'ended';
    this.tell('call.hangup', {
      ...this.#parties(),
      start_time: isoTime(this.startedAt),
      end_time: isoTime(Date.now()),
      hangup_cause: cause,
      hangup_source: source,
      sip_hangup_cause: SIP_CAUSES[cause] ?? '200',
    });
    for (const leg of this.#legs) {
      leg.hangup(source, leg.status === 'ringing' ? 'originator_cancel' : 'normal_clearing');
    }
  }

  /**
   * Any event of this call.
   * @returns when it happened
   */
  tell(type: string, payload: Payload = {}, at = Date.now()): number {
    const event = this.eventOf(type, payload, at);
    this.noteEvent(event);
    this.exchange.send(event);
    return at;
  }

  /** The same without sending it. */
  eventOf(type: string, payload: Payload = {}, at = Date.now()): TelnyxEvent {
    return {
      record_type: 'event',
      event_type: type,
      id: randomUUID(),
      occurred_at: isoTime(at),
      payload: {
        call_control_id: this.id,
        call_leg_id: this.legId,
        call_session_id: this.sessionId,
        connection_id: this.exchange.connectionId,
        client_state: this.#clientState,
        ...payload,
      },
    };
  }

  carryOut({ action, body }: ReceivedCommand): void {
    if (typeof body.client_state === 'string') this.#clientState = body.client_state;
    switch (action) {
      case 'answer':
        if (body.transcription === true) this.#isTranscribed = true;
        this.answer();
        if (body.stream_url !== undefined) this.tell('streaming.started', { stream_url: body.stream_url });
        return;
      case 'hangup':
      case 'reject':
        return this.hangup('callee');
      case 'speak':
        return this.#play('speak', this.exchange.speakMs(String(body.payload)), {}, body);
      case 'playback_start':
        return this.#play('playback', 1_000, aPlayback(body), body);
      case 'playback_stop':
        return this.audio.stop(body.stop === 'current' ? 'current' : 'all');
      case 'transcription_start':
        this.#isTranscribed = true;
        return;
      case 'transcription_stop':
        this.#isTranscribed = false;
        return;
      case 'gather':
      case 'gather_using_speak':
        this.#isGathering = true;
        return;
      case 'transfer':
        return this.#transfer(String(body.to), body.target_leg_client_state);
      case 'streaming_start':
        this.tell('streaming.started', { stream_url: body.stream_url });
    }
  }

  /** Its events carry the state that its own command gave. */
  #play(kind: 'speak' | 'playback', durationMs: number, about: Payload, body: Payload): void {
    if (body.stop === 'current' || body.stop === 'all') this.audio.stop(body.stop);
    const payload = { ...about, client_state: body.client_state ?? this.#clientState };
    this.audio.play({
      durationMs,
      began: () => this.tell(`call.${kind}.started`, payload),
      ended: (status) => this.tell(`call.${kind}.ended`, { ...payload, status }),
    });
  }

  /** A leg that fails leaves its call as it was. */
  #transfer(to: string, clientState: unknown): void {
    const leg = this.exchange.addLeg(this, to);
    const fate = this.exchange.fateOfLeg();
    if (typeof clientState === 'string') leg.#clientState = clientState;
    this.#legs.push(leg);
    leg.initiate();
    if (fate === 'rings') return;
    if (fate !== 'answers') return leg.hangup('callee', fate.fails);
    leg.answer();
    for (const it of [this, leg]) it.tell('call.bridged', it.#parties());
  }

  #transcribe(transcript: string, isFinal: boolean): number {
    if (this.#status === 'ended') return Date.now();
    const data = { confidence: 0.9, is_final: isFinal, transcript, transcription_track: 'inbound' };
    return this.tell('call.transcription', { transcription_data: data });
  }

  #parties() {
    return { from: this.from, to: this.to };
  }
}

const SIP_CAUSES: Readonly<Record<string, string>> = {
  user_busy: '486',
  timeout: '408',
  not_found: '404',
  call_rejected: '603',
  originator_cancel: '487',
};

function aPlayback({ audio_url: url, media_name: name }: Payload = {}): Payload {
  const media = url === undefined ? { media_name: name ?? 'agent' } : { media_url: url };
  return { ...media, playback_id: randomUUID(), overlay: false };
}

/** With microseconds, as Telnyx writes it. */
function isoTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
