import { beforeEach, expect, test } from '@jest/globals';
import { LookSchedule } from './look-schedule.js';

let schedule: LookSchedule;
beforeEach(() => {
  schedule = new LookSchedule();
});

function look(atMs: number, costMs: number, tasks: number, isOver = false): void {
  schedule.begin(tasks);
  schedule.end(atMs, { costMs, isOver });
}

function isDue(nowMs: number, tasks: number): boolean {
  schedule.note(tasks);
  return schedule.isDue(nowMs, tasks);
}

test('a look every two seconds, and one fiftieth of the time at most', () => {
  look(10_000, 20, 300);
  expect([isDue(11_999, 300), isDue(12_000, 300)]).toEqual([false, true]);
  look(12_000, 100, 300);
  expect([isDue(16_999, 300), isDue(17_000, 300)]).toEqual([false, true]);
});

test('where processes suddenly become many it comes early, and takes a fifth of the time at most', () => {
  look(10_000, 20, 300);
  expect([isDue(10_200, 399), isDue(10_200, 400)]).toEqual([false, true]);
  expect([isDue(10_099, 400), isDue(10_100, 400)]).toEqual([false, true]);
});

test('what rises while the remains of something larger go is noticed', () => {
  look(10_000, 100, 2_000);
  expect(isDue(10_600, 900)).toBe(false);
  expect(isDue(10_650, 999)).toBe(false);
  expect(isDue(10_700, 1_000)).toBe(true);
});

test('so is what rises during a look', () => {
  schedule.begin(1_800);
  schedule.note(200);
  schedule.note(1_500);
  schedule.end(10_000, { costMs: 20, isOver: false });
  expect(isDue(10_100, 1_500)).toBe(true);
});

test('a look that was dear because of a bomb is followed soon once that is gone', () => {
  look(10_000, 300, 2_000);
  expect([isDue(12_000, 2_000), isDue(12_000, 200)]).toEqual([false, true]);
});

test('the agent that follows one that was over its limits is looked after closely for a minute', () => {
  look(10_000, 500, 2_000, true);
  look(12_500, 500, 2_000);
  expect([isDue(14_999, 2_000), isDue(15_000, 2_000)]).toEqual([false, true]);
  look(70_000, 500, 2_000);
  expect([isDue(72_500, 2_000), isDue(95_000, 2_000)]).toEqual([false, true]);
});

test('a count that could not be read says nothing', () => {
  look(10_000, 20, 300);
  expect(isDue(10_500, 0)).toBe(false);
  expect(isDue(10_550, 300)).toBe(false);
  look(12_000, 20, 0);
  expect([isDue(12_500, 300), isDue(12_550, 400)]).toEqual([false, true]);
});
