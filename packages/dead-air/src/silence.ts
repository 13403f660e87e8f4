import { INTERIM_WORDS_MS, ONGOING_MS, RESTART_MS, SPEECH_START_MS } from './bounds.js';
import { lastEnd, openSince } from './ongoing.js';
import type { CallState, Saying } from './state.js';

/**
 * Since when neither side speaks and no work runs, as far as is known. What goes on at the moment ends at its bound at the
 * latest: then this lies ahead. So there is always a time at which to look again.
 */
export function quietFrom(state: CallState): number {
  return Math.max(
    state.startedAt,
    callerQuietFrom(state),
    agentQuietFrom(state),
    workQuietFrom(state),
    speechDueBy(state),
    restartDueBy(state),
  );
}

export function callerQuietFrom({ caller, words }: CallState): number {
  const speechEnds = caller.active ? Math.max(caller.startedAt, words.at) + ONGOING_MS : caller.endedAt;
  return Math.max(speechEnds, words.at);
}

/** From when on the caller does not speak: words that may still change mean that there is more to come. */
export function callerPausesAt(state: CallState): number {
  const { interimAt, finalAt } = state.words;
  const moreToCome = interimAt > finalAt ? interimAt + INTERIM_WORDS_MS : 0;
  return Math.max(callerQuietFrom(state), moreToCome);
}

export function agentQuietFrom(state: CallState): number {
  const speechEnds = isAgentSpeaking(state) ? state.agent.startedAt + ONGOING_MS : state.agent.endedAt;
  const playing = openSince(state.playbacks, state.agentSince).map(
    ({ from, commandId }) => from + longestPlaybackMs(commandId, state.saying),
  );
  return Math.max(state.agentSince, speechEnds, lastEnd(state.playbacks), ...playing);
}

export function workQuietFrom({ work, agentSince }: CallState): number {
  const running = openSince(work, agentSince).map(({ from }) => from + ONGOING_MS);
  return Math.max(lastEnd(work), ...running);
}

/** A new agent is on its way. */
export function restartDueBy({ restart, agentSince }: CallState): number {
  return restart.at > agentSince ? restart.at + RESTART_MS : 0;
}

export function isAgentSpeaking({ agent, agentSince }: CallState): boolean {
  return agent.active && agent.startedAt > agentSince;
}

export function isAnythingPlayed(state: CallState): boolean {
  return isAgentSpeaking(state) || openSince(state.playbacks, state.agentSince).length > 0;
}

/** Whether the line has been heard, by whatever the medium tells: its own playback, or any sound after it was asked for. */
export function hasBegun({ agent, playbacks }: CallState, saying: Saying): boolean {
  return (
    saying.isHeard ||
    agent.startedAt >= saying.askedAt ||
    playbacks.startedAt >= saying.askedAt ||
    lastEnd(playbacks) > saying.askedAt
  );
}

/** Whether the line is over: it was heard and is not any more, or could not be spoken. */
export function isSpoken(state: CallState, saying: Saying): boolean {
  return saying.refusedAt > 0 || (hasBegun(state, saying) && !isAnythingPlayed(state));
}

/** A line that nobody has heard yet is waited for. One that is heard is a sound like any other. */
function speechDueBy(state: CallState): number {
  const { saying } = state;
  if (saying === null || saying.isVoid) return 0;
  if (saying.refusedAt > 0) return saying.refusedAt;
  if (state.agentSince > saying.askedAt || hasBegun(state, saying)) return 0;
  return saying.askedAt + SPEECH_START_MS + saying.longestMs;
}

function longestPlaybackMs(commandId: string | undefined, saying: Saying | null): number {
  return commandId !== undefined && commandId === saying?.commandId ? saying.longestMs : ONGOING_MS;
}
