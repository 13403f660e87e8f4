import { expect, test } from '@jest/globals';
import { formatAge, formatBytes, parseDuration } from './units.js';

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m 00s'],
  [3_599_999, '59m 59s'],
  [3_600_000, '1h 00m'],
  [86_400_000 + 3 * 3_600_000, '1d 03h'],
  [-5, '0s'],
  [Number.NaN, '-'],
])('%d ms are %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test.each([
  [null, '-'],
  [0, '0B'],
  [1023, '1023B'],
  [1024, '1K'],
  [1536, '1.5K'],
  [145 * 1024 ** 2, '145M'],
  [1023.9 * 1024 ** 2, '1G'],
  [1.25 * 1024 ** 3, '1.3G'],
])('%p bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['', undefined],
  ['1.5h', undefined],
  ['10 m', undefined],
  ['m', undefined],
  ['-5s', undefined],
])('%s is %p ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
