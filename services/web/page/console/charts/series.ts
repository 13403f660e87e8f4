import type { StatsView } from '@greenroom/contracts';

/** One line or one kind of bar; null: nothing is known of that interval. */
export interface Series {
  readonly name: string;
  readonly tone: 'accent' | 'info' | 'warn' | 'bad' | 'quiet';
  readonly values: readonly (number | null)[];
  /** `step`: holds over its interval, such as a limit. */
  readonly shape: 'bars' | 'line' | 'step';
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence. */
  readonly about: string;
  readonly unit: 'count' | 'ms' | 'percent';
  /** The scale reaches at least this far. */
  readonly least: number;
  readonly series: readonly Series[];
}

export function chartsOf({ points }: StatsView): Chart[] {
  return [
    {
      id: 'starts',
      title: 'Starts',
      about: 'Callers who began a session, and how many of them got a warm agent at once.',
      unit: 'count',
      least: 4,
      series: [
        { name: 'warm', tone: 'accent', shape: 'bars', values: points.map((it) => it.warmStarts) },
        {
          name: 'cold or in line',
          tone: 'info',
          shape: 'bars',
          values: points.map((it) => it.starts - it.warmStarts),
        },
      ],
    },
    {
      id: 'start-time',
      title: 'Time until the caller had an agent',
      about:
        'Half of all starts were quicker than p50, and 95 and 99 of 100 quicker than p95 and p99. Warm ones took no time.',
      unit: 'ms',
      least: 1_000,
      series: [
        { name: 'p50', tone: 'accent', shape: 'line', values: points.map((it) => it.startMs?.p50 ?? null) },
        { name: 'p95', tone: 'warn', shape: 'line', values: points.map((it) => it.startMs?.p95 ?? null) },
        { name: 'p99', tone: 'bad', shape: 'line', values: points.map((it) => it.startMs?.p99 ?? null) },
      ],
    },
    {
      id: 'hit-rate',
      title: 'Warm hit rate',
      about: 'Share of starts that got a warm agent at once.',
      unit: 'percent',
      least: 100,
      series: [
        {
          name: 'started warm',
          tone: 'accent',
          shape: 'line',
          values: points.map(({ starts, warmStarts }) => (starts === 0 ? null : (warmStarts / starts) * 100)),
        },
      ],
    },
    {
      id: 'capacity',
      title: 'Callers and capacity',
      about: 'The most callers at once, below how many there may be.',
      unit: 'count',
      least: 4,
      series: [
        { name: 'callers', tone: 'accent', shape: 'bars', values: points.map((it) => it.callers) },
        { name: 'capacity', tone: 'quiet', shape: 'step', values: points.map((it) => it.capacity) },
      ],
    },
    {
      id: 'errors',
      title: 'Errors',
      about:
        'Starts that failed, warm agents that could not be started, and agents that crashed, as a share of starts.',
      unit: 'percent',
      least: 10,
      series: [
        {
          name: 'error rate',
          tone: 'bad',
          shape: 'line',
          // Errors without a start, of warm agents say, are as bad as it gets.
          values: points.map(({ starts, errors }) =>
            starts === 0 && errors === 0 ? null : Math.min(100, (errors / Math.max(starts, errors)) * 100),
          ),
        },
      ],
    },
  ];
}

/** The highest point of the scale: a round number above all values; bars stand on each other. */
export function topOf({ series, least }: Chart): number {
  const bars = series.filter(({ shape }) => shape === 'bars');
  const stacked = (bars[0]?.values ?? []).map((_, index) =>
    bars.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
  const others = series
    .filter(({ shape }) => shape !== 'bars')
    .flatMap(({ values }) => values.map((it) => it ?? 0));
  return roundUp(Math.max(least, ...stacked, ...others));
}

/** 1, 2, 2.5, 3, 5 or 8 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 3, 5, 8, 10].find((it) => it * power >= value) ?? 10;
  return factor * power;
}

/** Whether the table has a row for it: a bar of nothing is none, while a line at 0 says something. */
export function isKnownAt({ series }: Chart, index: number): boolean {
  return series.some(({ shape, values }) =>
    shape === 'bars' ? Boolean(values[index]) : values[index] !== null && values[index] !== undefined,
  );
}

/** A line in pieces: where nothing is known it has a gap, and a point without neighbours is a piece of its own. */
export function piecesOf(
  values: readonly (number | null)[],
): { readonly from: number; readonly values: number[] }[] {
  const pieces: { from: number; values: number[] }[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const last = pieces.at(-1);
    if (last && last.from + last.values.length === index) last.values.push(value);
    else pieces.push({ from: index, values: [value] });
  }
  return pieces;
}
