import { lastEnd } from './ongoing.js';
import { isAnythingPlayed } from './sounds.js';
import type { CallState } from './state.js';

/** The agent is done only when no playback remains; a caller who is heard after that has taken the turn. */
export function isAgentDone(state: CallState): boolean {
  const { agent, caller, words, playbacks } = state;
  const spokenUntil = Math.max(agent.startedAt > 0 ? agent.endedAt : 0, lastEnd(playbacks));
  if (spokenUntil === 0 || isAnythingPlayed(state)) return false;
  return !caller.active && Math.max(caller.startedAt, words.at) < spokenUntil;
}
