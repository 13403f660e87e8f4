import { MIN_REFUSED_CHECKINS } from './bounds.js';
import type { ResolvedDeadAirSettings } from './settings.js';
import { callerPausesAt, quietFrom } from './silence.js';
import type { CallState } from './state.js';
import { askedCheckins } from './taken-back.js';
import { isHoldingOn } from './words.js';

/** When the silence has lasted long enough to ask, or to give up. */
export function silenceDueAt(state: CallState, settings: ResolvedDeadAirSettings): number {
  return Math.max(quietFrom(state) + patienceMs(state, settings), callerPausesAt(state));
}

/** Or refused so often that nobody will ever be asked. */
export function isEveryCheckinAsked(
  state: CallState,
  { maxCheckins }: Pick<ResolvedDeadAirSettings, 'maxCheckins'>,
): boolean {
  const { refusedCheckins = 0 } = state;
  return (
    askedCheckins(state) >= maxCheckins || refusedCheckins >= Math.max(maxCheckins, MIN_REFUSED_CHECKINS)
  );
}

/** The messages take turns through the whole call. */
export function nextMessage(state: CallState, settings: ResolvedDeadAirSettings): string {
  const asked = state.commands.checkin ?? 0;
  return settings.checkinMessages[asked % settings.checkinMessages.length] ?? '';
}

/** Without a single question there is no "after the last one": the call ends when the first would have been due. */
function patienceMs(state: CallState, settings: ResolvedDeadAirSettings): number {
  const wasTried = askedCheckins(state) > 0 || (state.refusedCheckins ?? 0) > 0;
  if (wasTried && isEveryCheckinAsked(state, settings)) return settings.disconnectDelayMs;
  return isHoldingOn(state.words) ? settings.holdOnTimeoutMs : settings.silenceTimeoutMs;
}
