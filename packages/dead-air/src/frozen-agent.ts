import { ANSWER_SLACK_MS, SPEECH_MS } from './bounds.js';
import { linkDueBy, linkMadeAt } from './link.js';
import { openSince } from './ongoing.js';
import { callerPausesAt, restartDueBy, workQuietFrom } from './silence.js';
import { isAgentSpeaking } from './sounds.js';
import type { CallState } from './state.js';
import { isHoldingOn } from './words.js';

/** Whether it is the agent's turn: the caller spoke, and nothing has come back yet. */
export function isAnswerAwaited(state: CallState): boolean {
  const spokeAt = callerSpokeAt(state);
  if (spokeAt === 0 || isHoldingOn(state.words)) return false;
  if (spokeAt <= Math.max(state.agentSince, state.restart.at)) return false;
  return !wasAgentHeard(state, spokeAt);
}

/** When an agent that has not answered by then counts as frozen. Work that runs puts it off. */
export function frozenAt(state: CallState, responseTimeoutMs: number): number {
  const waitingSince = Math.max(
    state.startedAt,
    callerPausesAt(state),
    workQuietFrom(state),
    restartDueBy(state),
    linkMadeAt(state),
  );
  return Math.max(waitingSince + responseTimeoutMs, linkDueBy(state));
}

/** The caller's last words; where no words are ever told, the last sound that is too long to be noise. */
function callerSpokeAt({ caller, words }: CallState): number {
  if (words.at > 0) return words.at;
  return !caller.active && caller.endedAt - caller.startedAt >= SPEECH_MS && caller.startedAt > 0
    ? caller.endedAt
    : 0;
}

/** What our own commands make heard is not the agent's answer. */
function wasAgentHeard(state: CallState, spokeAt: number): boolean {
  const { agent, playbacks } = state;
  const isPlaying = openSince(playbacks, state.agentSince).some(({ commandId }) => commandId === undefined);
  if (isAgentSpeaking(state) || isPlaying) return true;
  const startedAt = Math.max(agent.startedAt, playbacks.startedAt);
  const endedAt = Math.max(agent.endedAt, playbacks.endedAt);
  return startedAt >= spokeAt - ANSWER_SLACK_MS || endedAt >= spokeAt + ANSWER_SLACK_MS;
}
