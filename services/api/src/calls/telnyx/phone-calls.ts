import type { CallRecord, ReduceCall } from '@greenroom/redis-schema';
import type { DeadAirSettings } from '@greenroom/contracts';
import type { ApiContext } from '../../context.js';
import { endPhoneSession } from './end-phone-session.js';
import type { PhoneEvent } from './phone-event.js';
import {
  beginCall,
  callAnswered,
  callHeard,
  confirmedBy,
  rejectCall,
  takeCall,
  timeOf,
} from './phone-steps.js';
import { startPhoneSession } from './start-phone-session.js';

export type Taken = 'taken' | 'duplicate' | 'ignored';

/**
 * What Telnyx tells of phone calls, whichever instance hears it. Each event is one step of the call's state, which takes it
 * once; commands that follow from it stand in that state, and nobody waits here for Telnyx to take them. Whatever fails
 * on the way is mended by the next delivery of the same event.
 */
export class PhoneCalls {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async take(event: PhoneEvent): Promise<Taken> {
    switch (event.kind) {
      case 'initiated':
        return event.isIncoming ? this.#begin(event) : 'ignored';
      case 'answered':
        return this.#answered(event);
      case 'bridged':
      case 'playback_started':
      case 'playback_ended':
      case 'caller_said':
      case 'key_pressed':
        return this.#change(event, callHeard(event, this.#context.redis.clock.now()));
      case 'leg_ended':
        return this.#legEnded(event);
      case 'hangup':
        return this.#end(event);
    }
  }

  async #begin(event: PhoneEvent): Promise<Taken> {
    const known = await this.#context.redis.calls.read(event.callId);
    if (known && isDecided(known)) return 'duplicate';
    const started = await startPhoneSession(this.#context, event.callId);
    if (started.status === 'rejected') return this.#reject(event, started.why);
    const { id: sessionId, roomName: room, profile, status } = started.session;
    const settings = await this.#settingsOf(profile);
    const isAgentThere = status === 'ready';
    const opened = await this.#open(event, { sessionId, settings }, isAgentThere);
    if (opened.status !== 'opened' && opened.status !== 'exists') return this.#reject(event, opened.status);
    const reduce = takeCall(this.#context.config, { room, sessionId, settings, isAgentThere });
    const taken = await this.#change(event, reduce, answeredAt(opened.call));
    if (taken === 'duplicate') await this.#giveUpIfRejected(event.callId, sessionId);
    return taken;
  }

  async #reject(event: PhoneEvent, why: string): Promise<Taken> {
    this.#context.logger.warn('a phone call was rejected', { why });
    await this.#open(event, { settings: {} });
    return this.#change(event, rejectCall);
  }

  /** Another delivery of the same event found no place, just before there was one. */
  async #giveUpIfRejected(callId: string, sessionId: string): Promise<void> {
    const call = await this.#context.redis.calls.read(callId);
    if (call && !isRejected(call)) return;
    await endPhoneSession(
      this.#context,
      { sessionId, isOver: false },
      { reason: 'start_failed', by: 'caller' },
    );
  }

  /** The news may come before that of the call itself: then the call waits for its session, and nobody watches it. */
  async #answered(event: PhoneEvent): Promise<Taken> {
    const at = this.#timeOf(event);
    const reduce = callAnswered(this.#context.config, at);
    const taken = await this.#change(event, reduce, at);
    if (taken !== 'ignored') return taken;
    await this.#open(event, { settings: {} });
    return this.#change(event, reduce);
  }

  /** An api of the version before may have taken the leg's answer for a call that it does not know yet: that goes with the leg. */
  async #legEnded(event: Extract<PhoneEvent, { kind: 'leg_ended' }>): Promise<Taken> {
    const { redis } = this.#context;
    const taken = await this.#change(event, callHeard(event, redis.clock.now()));
    await redis.calls.close(event.legId);
    return taken;
  }

  /** The caller has hung up, or somebody for them. The session first: without it nobody would find the call's end again. */
  async #end({ callId, cause }: Extract<PhoneEvent, { kind: 'hangup' }>): Promise<Taken> {
    const { redis } = this.#context;
    const call = await redis.calls.hangUp(callId, cause);
    if (call === undefined) return 'ignored';
    if (call === 'noted') return 'taken';
    await endPhoneSession(this.#context, call, { reason: 'caller_hung_up', by: 'caller', detail: cause });
    await redis.calls.close(callId);
    return 'taken';
  }

  async #change(event: PhoneEvent, reduce: ReduceCall, callerJoinedAt?: number): Promise<Taken> {
    const { redis } = this.#context;
    const { callId, eventId } = event;
    const proof = { eventId, confirms: confirmedBy(event), callerJoinedAt };
    const { status } = await redis.calls.change(callId, reduce, proof);
    switch (status) {
      case 'changed':
      case 'unchanged':
        return 'taken';
      case 'duplicate':
        return 'duplicate';
      // A phone is heard by its carrier.
      case 'unheard':
      case 'over':
      case 'not_found':
        return 'ignored';
    }
  }

  #open(event: PhoneEvent, wish: { sessionId?: string; settings: DeadAirSettings }, isAgentThere = true) {
    const state = beginCall(this.#timeOf(event), { isAgentThere });
    const { telnyxLink } = this.#context.config;
    return this.#context.redis.calls.open({
      callId: event.callId,
      medium: 'phone',
      state,
      dueAt: undefined,
      ...(telnyxLink && { facts: { link: telnyxLink } }),
      ...wish,
    });
  }

  async #settingsOf(profile: string): Promise<CallRecord['settings']> {
    const profiles = await this.#context.redis.profiles.list();
    return profiles.find(({ name }) => name === profile)?.deadAirSettings ?? {};
  }

  #timeOf({ occurredAt }: PhoneEvent): number {
    return timeOf(occurredAt, this.#context.redis.clock.now());
  }
}

/** What becomes of the call stands in it already: the event is another delivery, or there was another attempt at it. */
function isDecided(call: CallRecord): boolean {
  const { room, hungUp } = call.facts;
  return room !== undefined || hungUp !== undefined || isRejected(call);
}

/** Where that news came before the call's own. */
function answeredAt({ facts }: CallRecord): number | undefined {
  return facts['answeredAt'] === undefined ? undefined : Number(facts['answeredAt']);
}

function isRejected({ facts }: CallRecord): boolean {
  return facts['rejected'] !== undefined;
}
