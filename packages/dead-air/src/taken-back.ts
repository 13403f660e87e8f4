import { HEARD_LINE_MS, SPEECH_START_MS, WORK_SLACK_MS } from './bounds.js';
import type { CallState, Saying } from './state.js';

/** Whether the line is not to be said any more: the caller was heard, or work began before it was over. */
export function isTakenBack(state: CallState, saying: Saying): boolean {
  return saying.isVoid || isPutOffByWork(state, saying);
}

/** Questions that the caller had a chance to hear. */
export function askedCheckins(state: CallState): number {
  const { saying, checkins } = state;
  const isNone = saying?.purpose === 'checkin' && !saying.isVoid && isPutOffByWork(state, saying);
  return Math.max(0, checkins - (isNone ? 1 : 0));
}

/** How the call is to end, unless the line that was to say so was put off. */
export function farewellOf(state: CallState): CallState['farewell'] {
  const { farewell, saying } = state;
  return saying?.purpose === 'goodbye' && isPutOffByWork(state, saying) ? null : farewell;
}

/** Work that began no earlier than shortly before the line was asked for: nobody knew of it then. */
export function noteWork(saying: Saying | null, at: number): Saying | null {
  if (saying === null || at < saying.askedAt - WORK_SLACK_MS) return saying;
  return { ...saying, workAt: saying.workAt === undefined ? at : Math.min(saying.workAt, at) };
}

/** Said again when the work is done. What ends a call whatever happens is said all the same. */
function isPutOffByWork({ farewell, agentSince }: CallState, saying: Saying): boolean {
  const { purpose, workAt, refusedAt } = saying;
  if (workAt === undefined || refusedAt > 0) return false;
  const mayWait = purpose === 'checkin' || (purpose === 'goodbye' && farewell?.reason === 'dead_air');
  const isStillItsAgent = agentSince <= saying.askedAt || workAt < agentSince;
  return mayWait && isStillItsAgent && workAt < overAtLatest(saying);
}

/** From what is told of this very line alone, and in its time: what is heard after it must not make it longer. */
function overAtLatest({ endedAt, soundEndedAt, isHeard, askedAt, longestMs }: Saying): number {
  const heardUntil = endedAt === 0 && !isHeard ? soundEndedAt : endedAt;
  const longest = askedAt + SPEECH_START_MS + (isHeard ? HEARD_LINE_MS : longestMs);
  return heardUntil === 0 ? longest : Math.min(heardUntil, longest);
}
