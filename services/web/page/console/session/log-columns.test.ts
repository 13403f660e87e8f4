import { expect, test } from '@jest/globals';
import { toLogLine } from './log-buffer.js';
import { COLUMNS, columnsOf, printedBefore } from './log-columns.js';

const START = Date.parse('2026-11-22T10:00:00.000Z');
const RANGE = { from: START, to: START + COLUMNS * 1_000 };
let count = 0;
const line = (seconds: number | null, text = 'INFO fine') =>
  toLogLine(count++, text, seconds === null ? null : new Date(START + seconds * 1_000).toISOString());

test('lines stand where they were printed, errors and warnings apart', () => {
  const columns = columnsOf(
    [line(0), line(2.1), line(2.5, 'ERROR no voice'), line(2.9, 'WARN slow'), line(COLUMNS, 'last')],
    RANGE,
  );
  expect(columns.map(({ index, errors, warnings, others }) => [index, errors, warnings, others])).toEqual([
    [0, 0, 0, 1],
    [2, 1, 1, 1],
    [COLUMNS - 1, 0, 0, 1],
  ]);
});

test('what has no time, or one outside of what is shown, does not stand there', () => {
  expect(columnsOf([line(null), line(-5), line(COLUMNS + 1)], RANGE)).toEqual([]);
});

test('a single line is seen beside a flood', () => {
  const flood = Array.from({ length: 1_000 }, () => line(7));
  const [one, many] = columnsOf([line(3), ...flood], RANGE);
  expect(one?.height).toBeGreaterThan(0.3);
  expect(one?.height).toBeLessThan(0.5);
  expect(many?.height).toBe(1);
});

test('a moment belongs to what was printed last before it', () => {
  const lines = [line(null), line(1), line(1), line(4)];
  const at = (seconds: number) => printedBefore(lines, START + seconds * 1_000);
  expect([at(0.9), at(1), at(3.9), at(9)]).toEqual([undefined, START + 1_000, START + 1_000, START + 4_000]);
  expect(printedBefore(lines, undefined)).toBeUndefined();
});
