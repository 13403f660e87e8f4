import { INTERIM_WORDS_MS, ONGOING_MS, RESTART_MS } from './bounds.js';
import { lastEnd, openSince } from './ongoing.js';
import { agentQuietFrom } from './sounds.js';
import { lineOverAt } from './speech.js';
import type { CallState } from './state.js';
import { isTakenBack } from './taken-back.js';

/**
 * Since when neither side speaks and no work runs, as far as is known. What goes on at the moment ends at its bound at the
 * latest: then this lies ahead. So there is always a time at which to look again.
 */
export function quietFrom(state: CallState): number {
  const { saying } = state;
  return Math.max(
    state.startedAt,
    callerQuietFrom(state),
    agentQuietFrom(state),
    workQuietFrom(state),
    saying === null || isTakenBack(state, saying) ? 0 : lineOverAt(state, saying),
    restartDueBy(state),
  );
}

/** From when on the caller does not speak: words that may still change mean that there is more to come. */
export function callerPausesAt(state: CallState): number {
  const { interimAt, finalAt } = state.words;
  const moreToCome = interimAt > finalAt ? interimAt + INTERIM_WORDS_MS : 0;
  return Math.max(callerQuietFrom(state), moreToCome);
}

export function workQuietFrom({ work, agentSince }: CallState): number {
  const running = openSince(work, agentSince).map(({ from }) => from + ONGOING_MS);
  return Math.max(lastEnd(work), ...running);
}

/** A new agent is on its way. */
export function restartDueBy({ restart, agentSince }: CallState): number {
  return restart.at > agentSince ? restart.at + RESTART_MS : 0;
}

/** Of a caller whom an older agent heard speak, the new one tells anew. */
function callerQuietFrom({ caller, words, agentSince }: CallState): number {
  const isSpeaking = caller.active && caller.startedAt > agentSince;
  const speechEnds = isSpeaking ? Math.max(caller.startedAt, words.at) + ONGOING_MS : caller.endedAt;
  return Math.max(speechEnds, words.at);
}
