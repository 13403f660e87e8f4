import { expect, test } from '@jest/globals';
import {
  connectAnew,
  countWaiting,
  goOn,
  type LogBuffer,
  NO_LINES,
  takeLines,
  toLogLine,
} from './log-buffer.js';

let count = 0;
const linesOf = (...texts: string[]) => texts.map((text) => toLogLine(count++, text, null));
const shown = ({ lines }: LogBuffer) => lines.map(({ text }) => text).join(' ');

test('lines wait while the log is paused, and are shown when it goes on', () => {
  const before = takeLines(NO_LINES, linesOf('a', 'b'), false);
  const paused = takeLines(before, linesOf('c'), true);
  expect([shown(paused), countWaiting(paused)]).toEqual(['a b', 1]);
  const after = goOn(paused);
  expect([shown(after), countWaiting(after)]).toEqual(['a b c', 0]);
  expect(goOn(after)).toBe(after);
});

test('another connection tells the last lines again: they come in place of what is shown, not before and not twice', () => {
  const cut = connectAnew(takeLines(NO_LINES, linesOf('a', 'b'), false));
  expect(shown(cut)).toBe('a b');
  const back = takeLines(cut, linesOf('a', 'b', 'c'), false);
  expect(shown(takeLines(back, linesOf('d'), false))).toBe('a b c d');
});

test('a paused log stays as it is while the connection is another one', () => {
  const paused = takeLines(takeLines(NO_LINES, linesOf('a', 'b'), false), linesOf('c'), true);
  const back = takeLines(connectAnew(paused), linesOf('a', 'b', 'c', 'd'), true);
  expect([shown(back), countWaiting(back)]).toEqual(['a b', undefined]);
  expect(shown(goOn(back))).toBe('a b c d');
});
