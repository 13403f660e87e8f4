import { beforeEach, expect, test } from '@jest/globals';
import { LookSchedule } from './look-schedule.js';

let schedule: LookSchedule;
beforeEach(() => {
  schedule = new LookSchedule();
});

test('a look every two seconds, and one fiftieth of the time at most', () => {
  schedule.looked({ atMs: 10_000, costMs: 20, tasks: 300 });
  expect([schedule.isDue(11_999, 300), schedule.isDue(12_000, 300)]).toEqual([false, true]);
  schedule.looked({ atMs: 12_000, costMs: 100, tasks: 300 });
  expect([schedule.isDue(16_999, 300), schedule.isDue(17_000, 300)]).toEqual([false, true]);
});

test('where processes suddenly become many it comes early, and takes a fifth of the time at most', () => {
  schedule.looked({ atMs: 10_000, costMs: 20, tasks: 300 });
  expect([schedule.isDue(10_200, 399), schedule.isDue(10_200, 400)]).toEqual([false, true]);
  expect([schedule.isDue(10_099, 400), schedule.isDue(10_100, 400)]).toEqual([false, true]);
});

test('what rises while the remains of something larger go is noticed', () => {
  schedule.looked({ atMs: 10_000, costMs: 100, tasks: 2_000 });
  expect(schedule.isDue(10_600, 900)).toBe(false);
  expect(schedule.isDue(10_650, 999)).toBe(false);
  expect(schedule.isDue(10_700, 1_000)).toBe(true);
});
