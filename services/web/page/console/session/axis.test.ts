import { describe, expect, test } from '@jest/globals';
import { clockOf, rangeOf, spanOf, ticksOf } from './axis.js';

describe('the part of time that is shown', () => {
  test.each([
    ['all', 600_000, { from: 0, to: 600_000 }],
    ['start', 600_000, { from: 0, to: 15_000 }],
    ['last', 600_000, { from: 480_000, to: 600_000 }],
    ['last', 30_000, { from: 0, to: 30_000 }],
    ['all', 100, { from: 0, to: 5_000 }],
  ] as const)('%s after %d ms', (zoom, now, range) => {
    expect(rangeOf(zoom, 0, now)).toEqual(range);
  });
});

describe('a bar', () => {
  const range = { from: 10, to: 20 };
  test.each([
    ['within', { from: 12, to: 15 }, { left: 20, width: 30 }],
    ['cut on both sides', { from: 0, to: 100 }, { left: 0, width: 100 }],
    ['that goes on', { from: 15, to: undefined }, { left: 50, width: 50 }],
    ['before it', { from: 1, to: 9 }, undefined],
    ['after it', { from: 21, to: 22 }, undefined],
  ])('%s', (_name, bar, span) => {
    expect(spanOf(bar, range)).toEqual(span);
  });
});

test.each([5, 15, 120, 1_500, 14_400])('an axis of %d s has few and round ticks', (length) => {
  const ticks = ticksOf({ from: 0, to: length * 1_000 }, 0);
  expect(ticks.length).toBeGreaterThan(2);
  expect(ticks.length).toBeLessThanOrEqual(9);
});

test.each([
  [7, '0:07'],
  [750, '12:30'],
  [3_723, '1:02:03'],
  [-1, '0:00'],
])('%d s are %s', (seconds, text) => {
  expect(clockOf(seconds)).toBe(text);
});
