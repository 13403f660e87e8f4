import type { SchedulePolicy } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { scheduledSize } from './schedule.js';

const OFFICE: SchedulePolicy = {
  kind: 'schedule',
  timeZone: 'Europe/Vienna',
  base: 1,
  entries: [
    { cron: '0 8 * * 1-5', size: 10 },
    { cron: '0 18 * * *', size: 2 },
  ],
};

function at(policy: SchedulePolicy, time: string): { size: number; until: string | undefined } {
  const { size, untilMs } = scheduledSize(policy, Date.parse(time));
  return { size, until: untilMs === undefined ? undefined : new Date(untilMs).toISOString() };
}

test.each([
  ['in the morning, to the millisecond', '2026-03-24T07:00:00.000Z', 10, '2026-03-24T17:00:00.000Z'],
  ['just before it', '2026-03-24T06:59:59.999Z', 2, '2026-03-24T07:00:00.000Z'],
  ['in the evening', '2026-03-24T20:00:00Z', 2, '2026-03-25T07:00:00.000Z'],
  ['on a Saturday, when the morning does not come', '2026-03-28T09:00:00Z', 2, '2026-03-28T17:00:00.000Z'],
  ['on a Monday after the clocks went forward', '2026-03-30T06:00:00Z', 10, '2026-03-30T16:00:00.000Z'],
])('the entry that fired last holds: %s', (_when, time, size, until) => {
  expect(at(OFFICE, time)).toEqual({ size, until });
});

describe('an entry with an end of its own', () => {
  const rush = { ...OFFICE, timeZone: 'UTC', entries: [{ cron: '0 12 * * *', size: 9, forSeconds: 1800 }] };

  test.each([
    ['2026-03-24T12:00:00Z', 9, '2026-03-24T12:30:00.000Z'],
    ['2026-03-24T12:29:59Z', 9, '2026-03-24T12:30:00.000Z'],
    ['2026-03-24T12:30:00Z', 1, '2026-03-25T12:00:00.000Z'],
    ['2026-03-24T11:00:00Z', 1, '2026-03-24T12:00:00.000Z'],
  ])('goes back to the base when it is over: %s', (time, size, until) => {
    expect(at(rush, time)).toEqual({ size, until });
  });

  test('an earlier one does not come back after it', () => {
    const both = { ...rush, entries: [{ cron: '0 6 * * *', size: 4 }, ...rush.entries] };
    expect(at(both, '2026-03-24T13:00:00Z')).toEqual({ size: 1, until: '2026-03-25T06:00:00.000Z' });
  });
});

test('of two that fire at once the later in the list holds', () => {
  const entries = [
    { cron: '0 8 * * *', size: 3 },
    { cron: '0 8 * * *', size: 5 },
  ];
  expect(at({ ...OFFICE, entries }, '2026-03-24T10:00:00Z').size).toBe(5);
});
