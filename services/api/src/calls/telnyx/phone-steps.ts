import {
  AGENT_STARTING,
  beginPhone,
  type CallEvent,
  type CallState,
  resolveSettings,
  ROOM_UNHEARD,
  transition,
} from '@greenroom/dead-air';
import type { DeadAirSettings } from '@greenroom/contracts';
import type { CallRecord, NextCall, ReduceCall } from '@greenroom/redis-schema';
import { answerCommand, linkCommand, type LinkSettings } from './link.js';
import type { PhoneCommand } from './phone-command.js';
import type { PhoneEvent } from './phone-event.js';
import { applyEvents, asItIs } from './phone-next.js';
import { hearSound, type Sound } from './sounds.js';
import { hearWords } from './words.js';

/** There is one of each in a call: whoever sends it again has not done it a second time. */
const ANSWER = 'answer';
const LINK = 'link';

/** The leg to the agent ends like this where its call has ended before it was made. */
const CALLER_WENT_FIRST = 'originator_cancel';

/** What a webhook may be late by and still count for the time that it tells. */
const OLDEST_MS = 5_000;

/**
 * When it happened, by Redis's clock, as far as Telnyx is believed: nothing happens in the future, and what was long on its way
 * counts as just now.
 */
export function timeOf(occurredAt: number, now: number): number {
  return Math.round(Math.min(Math.max(occurredAt, now - OLDEST_MS), now));
}

/** The room and the settings of the session that has taken the call. */
export interface TakenBy {
  readonly room: string;
  readonly sessionId: string;
  readonly settings: DeadAirSettings;
  readonly isAgentThere: boolean;
}

/** Silence does not count before the call's agent is there: its spawner tells when it is. */
export function beginCall(at: number, { isAgentThere }: { isAgentThere: boolean }): CallState {
  const state = beginPhone(at);
  return isAgentThere ? state : transition(state, agentStarting(at), resolveSettings({}, 'phone')).state;
}

/** A session has the call: it is answered. Where the news of the answer came first, it goes on from there. */
export function takeCall(
  link: LinkSettings,
  { room, sessionId, settings, isAgentThere }: TakenBy,
): ReduceCall {
  return (call) => {
    const facts = { ...call.facts, room };
    const { answeredAt } = facts as { answeredAt?: string };
    if (answeredAt !== undefined) {
      const at = Number(answeredAt);
      // It was begun by that news, when nobody knew whether there is an agent.
      const { state } = isAgentThere ? call : applyEvents(call, [agentStarting(at)]);
      return { ...connect(link, { ...call, state, sessionId, facts, settings }, at), settings };
    }
    return {
      ...asItIs(call),
      facts,
      settings,
      actions: [asAction(ANSWER, answerCommand(link, { room, sessionId }))],
    };
  };
}

/** The caller hears something from here on, and the call is led to its agent. */
export function callAnswered(link: LinkSettings, at: number): ReduceCall {
  return (call) => connect(link, call, at);
}

/** Nobody can take the call. */
export const rejectCall: ReduceCall = (call) => ({
  ...asItIs(call),
  facts: { ...call.facts, rejected: '1' },
  actions: [asAction('reject', { kind: 'reject' })],
});

/** What is heard in a call that has been answered. */
export function callHeard(event: PhoneEvent, now: number): ReduceCall {
  const time = { occurredAt: event.occurredAt, timeOf: (at: number) => timeOf(at, now) };
  return (call) => {
    switch (event.kind) {
      case 'caller_said': {
        const { events, facts } = hearWords(call, event, time);
        return { ...applyEvents(call, events), facts };
      }
      case 'key_pressed':
        return applyEvents(call, noise(time.timeOf(event.occurredAt)));
      case 'playback_started':
      case 'playback_ended': {
        const { events, facts } = hearSound(call, event.kind, event.sound, time);
        return {
          ...applyEvents(call, [...events, ...agentHeard(call, event, time.timeOf(event.occurredAt))]),
          facts,
        };
      }
      case 'bridged':
        return applyEvents(call, [{ kind: 'link_made', at: time.timeOf(event.occurredAt) }]);
      case 'leg_ended':
        if (event.cause === CALLER_WENT_FIRST) return 'unchanged';
        return applyEvents(call, [
          { kind: 'link_failed', cause: event.cause, at: time.timeOf(event.occurredAt) },
        ]);
      case 'initiated':
      case 'answered':
      case 'hangup':
        return 'unchanged';
    }
  };
}

/** Somebody is there, as after a word; but a key, which may be pressed by accident, wants no answer. */
function noise(at: number): CallEvent[] {
  return [true, false].map((active) => ({ kind: 'caller_speaking', active, at }));
}

/** Which command of ours an event proves to have arrived. */
export function confirmedBy(event: PhoneEvent): string | undefined {
  if (event.kind === 'answered') return ANSWER;
  if (event.kind === 'bridged' || event.kind === 'leg_ended') return LINK;
  if (event.kind !== 'playback_started' && event.kind !== 'playback_ended') return undefined;
  return 'commandId' in event.sound ? event.sound.commandId : undefined;
}

function connect(link: LinkSettings, call: CallRecord, at: number): NextCall {
  const started: CallEvent = { kind: 'call_started', at };
  const { room } = call.facts;
  const facts = { ...call.facts, answeredAt: String(at) };
  // Its session is still being looked for, and begins the rest.
  if (room === undefined || call.sessionId === undefined) return { ...asItIs(call), facts };
  const command = linkCommand(link, { room, sessionId: call.sessionId });
  const next = applyEvents(call, command ? [started, { kind: 'link_started', at }] : [started]);
  return { ...next, facts, actions: [...next.actions, ...(command ? [asAction(LINK, command)] : [])] };
}

/** What is played and is not ours is the agent's: where the carrier tells of that, its silence is known. */
function agentHeard({ state }: CallRecord, { sound }: { sound: Sound }, at: number): CallEvent[] {
  const isUnheard = ROOM_UNHEARD in (state as CallState).work.open;
  return isUnheard && !('commandId' in sound) ? [{ kind: 'work_ended', id: ROOM_UNHEARD, at }] : [];
}

function agentStarting(at: number): CallEvent {
  return { kind: 'work_started', id: AGENT_STARTING, at };
}

function asAction(commandId: string, command: PhoneCommand) {
  return { kind: 'phone', commandId, command } as const;
}
