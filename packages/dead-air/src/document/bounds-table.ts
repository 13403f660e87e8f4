import * as bounds from '../bounds.js';

const ROWS: [string, number][] = [
  ['Speech, a playback, a tool call or a transfer whose end is never told is over after', bounds.ONGOING_MS],
  [
    'A line that was to be spoken and of which nothing is heard counts as spoken after its length and',
    bounds.SPEECH_START_MS,
  ],
  ['The length of a line is reckoned as 0.1 s for each character and', bounds.longestSpeechMs('')],
  ['A line that was heard to begin and whose end is never told is over after', bounds.HEARD_LINE_MS],
  ["The last word of an agent is on its way through LiveKit to the caller's ear for", bounds.LAST_WORD_MS],
  ['Words that may still change mean that the caller is speaking, for', bounds.INTERIM_WORDS_MS],
  ['An end is put off by a caller who does not pause, or by work, for at most', bounds.OVERTIME_MS],
  ['An agent that was asked for in place of a frozen one is waited for', bounds.RESTART_MS],
  ['An agent that the caller is still being led to does not count as frozen for', bounds.LINKING_MS],
  ['An agent that is heard this close to the words of the caller has answered them', bounds.ANSWER_SLACK_MS],
  [
    'A line is taken back for work that began no longer than this before it was asked for',
    bounds.WORK_SLACK_MS,
  ],
  ['Where no words are ever told, a sound of the caller needs an answer from a length of', bounds.SPEECH_MS],
  ['An end that was refused is asked for again after', bounds.END_AGAIN_MS],
];

/** docs/dead-air.md: how long the machine believes in what it has not heard of again. */
export function renderBoundsTable(): string {
  return `| bound | |\n|---|---|\n${ROWS.map(([what, ms]) => `| ${what} | ${ms / 1000} s |\n`).join('')}`;
}
