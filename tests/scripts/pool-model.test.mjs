import { expect, test } from '@jest/globals';
import { hitRateOfFixed, smallestFixed } from '../../scripts/bench/pool/model.mjs';

const burst = [0, 100, 200, 300, 5000];

test('an agent that was given away is there again when its successor has loaded', () => {
  expect(hitRateOfFixed(burst, { size: 1, replaceMs: 1000, launches: 4 })).toBe(2 / 5);
  expect(hitRateOfFixed(burst, { size: 1, replaceMs: 90, launches: 4 })).toBe(1);
  expect(hitRateOfFixed(burst, { size: 3, replaceMs: 1000, launches: 4 })).toBe(4 / 5);
});

test('successors load only as many at a time as there are places', () => {
  const pair = [0, 10, 1100, 1110];
  expect(hitRateOfFixed(pair, { size: 2, replaceMs: 1000, launches: 2 })).toBe(1);
  expect(hitRateOfFixed(pair, { size: 2, replaceMs: 1000, launches: 1 })).toBe(3 / 4);
});

test('the smallest fixed pool for a hit rate', () => {
  expect(smallestFixed(burst, 1, { replaceMs: 1000, launches: 4 })).toBe(4);
  expect(smallestFixed(burst, 0.8, { replaceMs: 1000, launches: 4 })).toBe(3);
});
