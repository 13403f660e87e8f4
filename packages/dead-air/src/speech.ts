import { HEARD_LINE_MS, LAST_WORD_MS, SPEECH_START_MS } from './bounds.js';
import { openSince } from './ongoing.js';
import { agentQuietFrom } from './sounds.js';
import type { CallState, Saying } from './state.js';

/** Whether the line is no more to be waited for: it was heard, was refused, or went with its agent. That stays so. */
export function isDoneWith(state: CallState, saying: Saying): boolean {
  return saying.refusedAt > 0 || state.agentSince > saying.askedAt || isSpoken(state, saying);
}

/** Whether the line was heard, and is not any more. */
export function isSpoken(state: CallState, saying: Saying): boolean {
  if (saying.endedAt > 0) return true;
  return !saying.isHeard && saying.soundEndedAt > 0 && wasSomethingHeard(state, saying);
}

/**
 * When the line is over, as far as is known: if nothing is told of it, it takes as long as its text may take. Not before
 * it was asked for, whatever a clock that is not ours says.
 */
export function lineOverAt(state: CallState, saying: Saying): number {
  if (saying.endedAt > 0) return Math.max(saying.askedAt, saying.endedAt);
  if (saying.refusedAt > 0) return saying.refusedAt;
  if (state.agentSince > saying.askedAt) return state.agentSince;
  const playing = openSince(state.playbacks, state.agentSince).find(
    (it) => it.commandId === saying.commandId,
  );
  if (playing !== undefined) return Math.max(saying.askedAt, playing.from) + HEARD_LINE_MS;
  if (wasSomethingHeard(state, saying)) return agentQuietFrom(state);
  return saying.askedAt + SPEECH_START_MS + saying.longestMs;
}

/** When the caller has heard the line to its end. Telnyx tells that itself; an agent tells when it has sent it. */
export function lineHeardAt(state: CallState, saying: Saying): number {
  const isOnItsWay = state.medium === 'livekit' && isSpoken(state, saying);
  return lineOverAt(state, saying) + (isOnItsWay ? LAST_WORD_MS : 0);
}

/** Some media do not tell which line it is that is heard: then any sound after it was asked for is taken for it. */
function wasSomethingHeard({ agent, playbacks }: CallState, { askedAt }: Saying): boolean {
  return agent.startedAt >= askedAt || playbacks.startedAt >= askedAt || playbacks.endedAt > askedAt;
}
