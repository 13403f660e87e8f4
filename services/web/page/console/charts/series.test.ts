import type { StatsView } from '@greenroom/contracts';
import { expect, test } from '@jest/globals';
import { chartsOf, isKnownAt, piecesOf, topOf } from './series.js';

const POINT = {
  at: '',
  starts: 0,
  warmStarts: 0,
  failed: 0,
  ended: 0,
  errors: 0,
  startMs: null,
  callers: null,
  capacity: null,
};
const statsOf = (...points: Partial<StatsView['points'][number]>[]): StatsView =>
  ({ points: points.map((point) => ({ ...POINT, ...point })) }) as StatsView;
const chart = (id: string, stats: StatsView) => {
  const found = chartsOf(stats).find((it) => it.id === id);
  if (!found) throw new Error(`no chart ${id}`);
  return found;
};

test('a minute without a start has no hit rate, and one with cold starts only has 0', () => {
  const { series } = chart('hit-rate', statsOf({}, { starts: 4 }, { starts: 4, warmStarts: 3 }));
  expect(series[0]?.values).toEqual([null, 0, 75]);
});

test('errors are a share of starts, and all of it where nothing was started at all', () => {
  const { series } = chart(
    'errors',
    statsOf({}, { starts: 10 }, { starts: 10, errors: 1 }, { errors: 3 }, { starts: 1, errors: 3 }),
  );
  expect(series[0]?.values).toEqual([null, 0, 10, 100, 100]);
});

test('the scale is round, and high enough for bars that stand on each other', () => {
  const stats = statsOf({ starts: 37, warmStarts: 20 });
  expect(topOf(chart('starts', stats))).toBe(50);
  expect(topOf(chart('starts', statsOf({})))).toBe(5);
  expect(topOf(chart('start-time', statsOf({ startMs: { p50: 0, p95: 6_900, p99: 7_200 } })))).toBe(8_000);
  expect(topOf(chart('start-time', statsOf({ startMs: { p50: 0, p95: 1_810, p99: 2_150 } })))).toBe(2_500);
});

test('a line has a gap where nothing is known', () => {
  expect(piecesOf([null, 1, 2, null, 3])).toEqual([
    { from: 1, values: [1, 2] },
    { from: 4, values: [3] },
  ]);
});

test('the table of a line has its zeros, and that of bars leaves out where there are none', () => {
  const stats = statsOf({}, { starts: 4 }, { starts: 4, warmStarts: 3 });
  const rows = (id: string) => stats.points.map((_, index) => isKnownAt(chart(id, stats), index));
  expect(rows('hit-rate')).toEqual([false, true, true]);
  expect(rows('starts')).toEqual([false, true, true]);
  expect(rows('capacity')).toEqual([false, false, false]);
});
