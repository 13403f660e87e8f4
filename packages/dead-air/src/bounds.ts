/**
 * How long the machine believes in what it has not heard of again. Every wait has such an end, so that no lost event can
 * hold a call for ever.
 */

/** Speech, playback, tool calls and transfers whose end is never told count as over after this. */
export const ONGOING_MS = 10 * 60_000;

/** A line that is to be spoken must be heard to begin within this, or it counts as spoken. */
export const SPEECH_START_MS = 5_000;

/**
 * A line that was heard to begin is over after this, if its end is never told. What takes longer than its text may be a recording,
 * or text that is short to write and long to say: digits, Chinese.
 */
export const HEARD_LINE_MS = 60_000;

/** A line that was never heard to begin takes no longer than this much, and this much more for each of its characters. */
const SPEECH_BASE_MS = 2_000;
const SPEECH_CHARACTER_MS = 100;

/**
 * What an agent has sent last is on its way through LiveKit to the caller's ear for so long. A room that closes sooner cuts the
 * last word off.
 */
export const LAST_WORD_MS = 400;

/** Words that may still change mean that the caller is speaking, for this long. */
export const INTERIM_WORDS_MS = 2_000;

/** A new agent has to have the call within this, or the silence counts on. */
export const RESTART_MS = 60_000;

/**
 * A leg to the agent of which nothing is told for this long rings: its agent does not let itself be heard, or nobody was told more. What
 * nobody takes, or answers at all, the telephone network has given up by then.
 */
export const LINKING_MS = 35_000;

/**
 * A call ends though its questions are refused: after as many as may be asked, and no fewer than this, for one alone may be a
 * mishap.
 */
export const MIN_REFUSED_CHECKINS = 2;

/** How long a caller who does not pause, or work that is running, may put off an end that nothing else can. */
export const OVERTIME_MS = ONGOING_MS;

/** An agent that was heard this close to the caller's words has answered them: transcripts come late. */
export const ANSWER_SLACK_MS = 1_500;

/** Work that began this long before a line was asked for may not have been told of by then. */
export const WORK_SLACK_MS = 1_500;

/** Shorter sounds of a caller of whom no words are known are noise, and need no answer. */
export const SPEECH_MS = 1_000;

/** After so many agents that froze in one call there is no other one. */
export const MAX_AGENT_RESTARTS = 2;

/** An end that was refused is asked for again after this. */
export const END_AGAIN_MS = 30_000;

/** So many playbacks, and pieces of work, are remembered of a call, each running and over. */
export const MAX_REMEMBERED = 32;

export function longestSpeechMs(text: string): number {
  return SPEECH_BASE_MS + SPEECH_CHARACTER_MS * text.length;
}
