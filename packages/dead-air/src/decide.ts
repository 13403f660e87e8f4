import { END_AGAIN_MS, OVERTIME_MS } from './bounds.js';
import { isEveryCheckinAsked, silenceDueAt } from './checkins.js';
import { frozenAt, isAnswerAwaited } from './frozen-agent.js';
import { linkFailedAt } from './link.js';
import type { ResolvedDeadAirSettings } from './settings.js';
import { callerPausesAt, workQuietFrom } from './silence.js';
import { lineHeardAt } from './speech.js';
import type { CallState } from './state.js';
import { farewellOf } from './taken-back.js';

/** What the machine does next if nothing else happens until then. */
export interface Decision {
  at: number;
  what: 'ask' | 'give_up' | 'agent_is_frozen' | 'agent_is_out_of_reach' | 'too_long' | 'end' | 'end_again';
}

/** null: whatever happens next, the time alone brings nothing. */
export function nextDecision(state: CallState, settings: ResolvedDeadAirSettings): Decision | null {
  if (state.isOver) return null;
  if (state.end !== null) return ifRefused(state, state.end.refusedAt);
  if (state.startedAt === 0) return null;
  const farewell = farewellOf(state);
  if (farewell !== null) {
    const heardAt = state.saying === null ? 0 : lineHeardAt(state, state.saying);
    return { at: opportuneFrom(state, Math.max(heardAt, farewell.at)), what: 'end' };
  }
  const next = nextOfSilence(state, settings);
  const limit = atLongest(state, settings);
  return limit !== null && limit.at <= next.at ? limit : next;
}

function nextOfSilence(state: CallState, settings: ResolvedDeadAirSettings): Decision {
  const failedAt = linkFailedAt(state);
  if (failedAt !== undefined) return { at: opportuneFrom(state, failedAt), what: 'agent_is_out_of_reach' };
  return isAnswerAwaited(state) ? ifAgentStaysSilent(state, settings) : ifBothStaySilent(state, settings);
}

function ifBothStaySilent(state: CallState, settings: ResolvedDeadAirSettings): Decision {
  const what = isEveryCheckinAsked(state, settings) ? 'give_up' : 'ask';
  return { at: silenceDueAt(state, settings), what };
}

function ifAgentStaysSilent(state: CallState, settings: ResolvedDeadAirSettings): Decision {
  return { at: frozenAt(state, settings.agentResponseTimeoutMs), what: 'agent_is_frozen' };
}

/** A call that has been long enough ends as soon as the caller pauses and no work runs, within reason. */
function atLongest(state: CallState, settings: ResolvedDeadAirSettings): Decision | null {
  if (settings.maxCallDurationMs === null) return null;
  return { at: opportuneFrom(state, state.startedAt + settings.maxCallDurationMs), what: 'too_long' };
}

function ifRefused(state: CallState, refusedAt: number): Decision | null {
  if (refusedAt === 0) return null;
  return { at: opportuneFrom(state, refusedAt + END_AGAIN_MS), what: 'end_again' };
}

function opportuneFrom(state: CallState, from: number): number {
  return Math.min(Math.max(from, callerPausesAt(state), workQuietFrom(state)), from + OVERTIME_MS);
}
