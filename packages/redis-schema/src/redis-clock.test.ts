import { afterEach, expect, test } from '@jest/globals';
import { RedisClock } from './redis-clock.js';

const realNow = Date.now;
afterEach(() => {
  Date.now = realNow;
});

test('goes on from what Redis said, however the machine’s clock is set', () => {
  const clock = new RedisClock();
  expect([clock.isKnown, Math.abs(clock.now() - Date.now()) < 50]).toEqual([false, true]);
  clock.hear(1_000_000);
  Date.now = () => realNow() + 3_600_000;
  expect(clock.isKnown).toBe(true);
  expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
  expect(clock.now()).toBeLessThan(1_000_500);
});

test('an answer that was long on its way does not set it back', () => {
  const clock = new RedisClock();
  clock.hear(1_000_000);
  clock.hear(999_400);
  expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
});
