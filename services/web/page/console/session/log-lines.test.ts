import { expect, test } from '@jest/globals';
import { guessLevel, splitByFinds } from './log-lines.js';

test.each([
  ['{"level":"error","msg":"x"}', 'error'],
  ['{"level":50,"msg":"x"}', 'error'],
  ['{"level":"warning","msg":"x"}', 'warn'],
  ['2026-11-22 10:00:00.123 | WARNING  | pipecat: slow', 'warn'],
  ['[INFO] ready', 'info'],
  ['Traceback (most recent call last):', 'error'],
  ['ValueError: no', 'error'],
  ['DEBUG nothing', 'other'],
  ['the error of my ways', 'other'],
  ['', 'other'],
] as const)('%s is %s', (line, level) => {
  expect(guessLevel(line)).toBe(level);
});

test.each([
  ['a Cat and a cat', 'cat', ['a ', 'Cat', ' and a ', 'cat', '']],
  ['nothing', 'cat', ['nothing']],
  ['all', '', ['all']],
  ['a.b', '.', ['a', '.', 'b']],
])('finds in %s', (line, search, parts) => {
  expect(splitByFinds(line, search)).toEqual(parts);
});
