import type { DeadAirSettings, FrozenAgentAction } from '@greenroom/contracts';
import type { CallMedium } from './state.js';

/** Dead-air settings with nothing left open. Times are milliseconds. */
export interface ResolvedDeadAirSettings {
  silenceTimeoutMs: number;
  holdOnTimeoutMs: number;
  /** Besides the English ones. */
  holdOnPhrases: readonly string[];
  maxCheckins: number;
  /** null: calls of this medium may be as long as they like. */
  maxCallDurationMs: number | null;
  /** At least one; they take turns. */
  checkinMessages: readonly string[];
  disconnectDelayMs: number;
  goodbyeMessage: string | null;
  agentResponseTimeoutMs: number;
  frozenAgentAction: FrozenAgentAction;
  apologyMessage: string;
}

/** What holds where nothing is said. Times are seconds, as in the profile. */
export const DEFAULT_SETTINGS = {
  silence_timeout_normal: 7,
  silence_timeout_hold_on: 25,
  max_checkins_before_disconnect: 2,
  max_call_duration: 1500,
  checkin_message: 'Are you still there?',
  disconnect_delay: 5,
  agent_response_timeout: 20,
  frozen_agent_action: 'restart',
  apology_message: 'Sorry, something went wrong on our side. Please try again later.',
} as const satisfies DeadAirSettings;

/** Settings as they are written, with the defaults filled in. `max_call_duration` is for phone calls only. */
export function resolveSettings(
  written: DeadAirSettings | undefined,
  medium: CallMedium,
): ResolvedDeadAirSettings {
  const settings = { ...DEFAULT_SETTINGS, ...withoutUndefined(written) };
  return {
    silenceTimeoutMs: milliseconds(settings.silence_timeout_normal),
    holdOnTimeoutMs: milliseconds(settings.silence_timeout_hold_on),
    holdOnPhrases: settings.hold_on_phrases ?? [],
    maxCheckins: settings.max_checkins_before_disconnect,
    maxCallDurationMs: medium === 'phone' ? milliseconds(settings.max_call_duration) : null,
    checkinMessages: listOf(settings.checkin_message),
    disconnectDelayMs: milliseconds(settings.disconnect_delay),
    goodbyeMessage: settings.goodbye_message ?? null,
    agentResponseTimeoutMs: milliseconds(settings.agent_response_timeout),
    frozenAgentAction: settings.frozen_agent_action,
    apologyMessage: settings.apology_message,
  };
}

/** Settings in the words in which they are written, with the defaults filled in. */
export function completeSettings(written: DeadAirSettings, medium: CallMedium): DeadAirSettings {
  const { max_call_duration, ...settings } = { ...DEFAULT_SETTINGS, ...withoutUndefined(written) };
  return medium === 'phone' ? { ...settings, max_call_duration } : settings;
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

function listOf(messages: string | readonly string[]): readonly string[] {
  const list = typeof messages === 'string' ? [messages] : messages;
  return list.length > 0 ? list : [DEFAULT_SETTINGS.checkin_message];
}

function withoutUndefined(written: DeadAirSettings = {}): DeadAirSettings {
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
}
