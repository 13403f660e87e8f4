import { isAnswerAwaited } from './frozen-agent.js';
import { quietFrom } from './silence.js';
import { isDoneWith } from './speech.js';
import type { CallState } from './state.js';
import { farewellOf, isTakenBack } from './taken-back.js';

/** Where a call stands, in one word. Worked out of its state; nothing is decided by it. */
export type CallPhase =
  /** Not both sides are there. */
  | 'waiting'
  /** Somebody speaks, or work runs. */
  | 'lively'
  /** Silence counts. */
  | 'quiet'
  /** The caller spoke: it is the agent's turn. */
  | 'awaiting_agent'
  /** A question is on its way or being spoken. */
  | 'asking'
  /** The last line is on its way or being spoken. */
  | 'parting'
  /** The end is asked for. */
  | 'ending'
  | 'over';

export function phaseOf(state: CallState, at: number): CallPhase {
  if (state.isOver) return 'over';
  if (state.end !== null) return 'ending';
  if (state.startedAt === 0) return 'waiting';
  if (farewellOf(state) !== null) return 'parting';
  if (isAsking(state)) return 'asking';
  if (quietFrom(state) > at) return 'lively';
  return isAnswerAwaited(state) ? 'awaiting_agent' : 'quiet';
}

function isAsking(state: CallState): boolean {
  const { saying } = state;
  return saying?.purpose === 'checkin' && !isTakenBack(state, saying) && !isDoneWith(state, saying);
}
