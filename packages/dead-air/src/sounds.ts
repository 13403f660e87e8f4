import { HEARD_LINE_MS, ONGOING_MS } from './bounds.js';
import { lastEnd, openSince } from './ongoing.js';
import type { CallState } from './state.js';

/** Since when nothing is heard of the agent, nor played in its place. While something is, this lies ahead. */
export function agentQuietFrom(state: CallState): number {
  const speechEnds = isAgentSpeaking(state) ? state.agent.startedAt + ONGOING_MS : state.agent.endedAt;
  const playing = openPlaybacks(state).map(({ from, commandId }) => {
    return from + (commandId === undefined ? ONGOING_MS : HEARD_LINE_MS);
  });
  return Math.max(state.agentSince, speechEnds, lastEnd(state.playbacks), ...playing);
}

export function isAnythingPlayed(state: CallState): boolean {
  return isAgentSpeaking(state) || openPlaybacks(state).length > 0;
}

export function isAgentSpeaking({ agent, agentSince }: CallState): boolean {
  return agent.active && agent.startedAt > agentSince;
}

/** Lines of ours are spoken one after the other: whatever is told of an earlier one, it is over. */
function openPlaybacks({ playbacks, agentSince, saying }: CallState) {
  return openSince(playbacks, agentSince).filter(
    ({ commandId }) => commandId === undefined || commandId === saying?.commandId,
  );
}
