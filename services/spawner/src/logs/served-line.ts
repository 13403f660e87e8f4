/** Longest line that is shown, in characters. */
const MAX_SHOWN = 2000;

/**
 * What of a printed line may be shown to an operator. `withheld` lines hold what people said: those belong in the events
 * file, and whoever runs the agent should be warned once.
 */
export type ServedLine = { kind: 'shown'; text: string } | { kind: 'empty' } | { kind: 'withheld' };

/** Escape sequences of terminals: CSI, OSC with its text, and the short ones. */
const TERMINAL_SEQUENCE =
  // oxlint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[ -/]*[0-~])/g;
/** All control characters but the tab, and those that change the direction of text or break lines. */
const CONTROL = /(?!\t)[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;
/** Anywhere in the line: a logger may put its own prefix before the object, and quote it. */
const TRANSCRIPT_EVENT = /\bevent\\?["']?\s*[:=]\s*\\?["']?transcript(?![A-Za-z_])/i;
/** The fields of a transcript, for one that was cut before it came to its `event`. */
const TRANSCRIPT_ROLE = /["']role\\?["']\s*:/;
const TRANSCRIPT_TEXT = /["']text\\?["']\s*:/;

export function serveLine(line: string): ServedLine {
  const plain = toPlainText(line);
  if (isTranscript(plain)) return { kind: 'withheld' };
  const text = lastOverprint(plain).trimEnd();
  if (text === '') return { kind: 'empty' };
  return { kind: 'shown', text: text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text };
}

function isTranscript(text: string): boolean {
  return TRANSCRIPT_EVENT.test(text) || (TRANSCRIPT_ROLE.test(text) && TRANSCRIPT_TEXT.test(text));
}

/** The line without terminal sequences and control characters; carriage returns stay. Also what patterns are held to. */
export function toPlainText(line: string): string {
  return line.replace(TERMINAL_SEQUENCE, '').replace(CONTROL, (it) => (it === '\r' ? it : ''));
}

/** A progress bar prints over itself; what would be seen on a terminal is the last of it. */
function lastOverprint(text: string): string {
  const parts = text.split('\r').filter((it) => it !== '');
  return parts.at(-1) ?? '';
}
