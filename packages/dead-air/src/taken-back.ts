import { HEARD_LINE_MS, SPEECH_START_MS, WORK_SLACK_MS } from './bounds.js';
import type { CallState, Saying } from './state.js';

/** Whether the line is not to be said any more: the caller was heard, work began before it was over, or its agent went before it began. */
export function isTakenBack(state: CallState, saying: Saying): boolean {
  return saying.isVoid || isPutOff(state, saying);
}

/** Questions that the caller had a chance to hear. */
export function askedCheckins(state: CallState): number {
  const { saying, checkins } = state;
  const isNone = saying?.purpose === 'checkin' && !saying.isVoid && isPutOff(state, saying);
  return Math.max(0, checkins - (isNone ? 1 : 0));
}

/** How the call is to end, unless the line that was to say so was put off. */
export function farewellOf(state: CallState): CallState['farewell'] {
  const { farewell, saying } = state;
  return saying?.purpose === 'goodbye' && isPutOff(state, saying) ? null : farewell;
}

/** Work that began no earlier than shortly before the line was asked for: nobody knew of it then. */
export function noteWork(saying: Saying | null, at: number): Saying | null {
  if (saying === null || at < saying.askedAt - WORK_SLACK_MS) return saying;
  return { ...saying, workAt: saying.workAt === undefined ? at : Math.min(saying.workAt, at) };
}

/** Said again when the work is done, or the next agent is there. What ends a call whatever happens is said all the same. */
function isPutOff(state: CallState, saying: Saying): boolean {
  const { purpose, refusedAt } = saying;
  if (refusedAt > 0) return false;
  const mayWait = purpose === 'checkin' || (purpose === 'goodbye' && state.farewell?.reason === 'dead_air');
  return mayWait && (isPutOffByWork(state, saying) || isLostWithAgent(state, saying));
}

function isPutOffByWork({ agentSince }: CallState, saying: Saying): boolean {
  const { workAt } = saying;
  if (workAt === undefined) return false;
  const isStillItsAgent = agentSince <= saying.askedAt || workAt < agentSince;
  return isStillItsAgent && workAt < overAtLatest(saying);
}

/** The agent that was to say it went before anything of it was heard. On the telephone none is to say it. */
function isLostWithAgent({ medium, agentSince }: CallState, saying: Saying): boolean {
  const { askedAt, longestMs, isHeard, soundAt, soundEndedAt } = saying;
  if (medium !== 'livekit' || agentSince <= askedAt) return false;
  const isItsTimeOver = agentSince >= askedAt + SPEECH_START_MS + longestMs;
  const beganAt = soundAt ?? (isHeard ? askedAt : Number.POSITIVE_INFINITY);
  const wasHeard = beganAt < agentSince || (soundEndedAt > 0 && soundEndedAt < agentSince);
  return !isItsTimeOver && !wasHeard;
}

/** From what is told of this very line alone, and in its time: what is heard after it must not make it longer. */
function overAtLatest({ endedAt, soundEndedAt, isHeard, askedAt, longestMs }: Saying): number {
  const heardUntil = endedAt === 0 && !isHeard ? soundEndedAt : endedAt;
  const longest = askedAt + SPEECH_START_MS + (isHeard ? HEARD_LINE_MS : longestMs);
  return heardUntil === 0 ? longest : Math.min(heardUntil, longest);
}
