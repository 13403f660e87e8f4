import type { StatsView } from '@greenroom/contracts';
import { useId, useState } from 'react';
import { formatMs, formatPercent } from '../parts/format.js';
import tones from '../parts/tones.module.css';
import styles from './chart-card.module.css';
import { type Chart, isKnownAt, piecesOf, type Series, topOf } from './series.js';

/** In units of the drawing, which is stretched to the width that there is. */
const WIDTH = 1_000;
const HEIGHT = 160;

/** One chart: drawn, told as a value where somebody points, and as a table for whoever wants numbers. */
export function ChartCard({ chart, stats }: { chart: Chart; stats: StatsView }) {
  const [pointed, setPointed] = useState<number>();
  const id = useId();
  const count = stats.points.length;
  const top = topOf(chart);
  return (
    <section className={styles.card} aria-labelledby={id} data-testid={`chart-${chart.id}`}>
      <h2 id={id}>{chart.title}</h2>
      <p className={styles.about}>{chart.about}</p>
      <p className={styles.legend}>
        {chart.series.map((series) => (
          <span key={series.name} className={tones[series.tone]}>
            <i data-shape={series.shape} aria-hidden="true" />
            <span className={styles.word}>
              {series.name} {valueAt(series, pointed ?? lastKnown(chart, count), chart.unit)}
            </span>
          </span>
        ))}
        <span className={styles.when}>{whenOf(stats, pointed ?? lastKnown(chart, count))}</span>
      </p>
      <div
        className={styles.plot}
        onPointerMove={({ clientX, currentTarget }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          setPointed(Math.max(0, Math.min(count - 1, Math.floor(((clientX - left) / width) * count))));
        }}
        onPointerLeave={() => setPointed(undefined)}
      >
        <span className={styles.scale}>{formatValue(top, chart.unit)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {[0.25, 0.5, 0.75].map((part) => (
            <line
              key={part}
              className={styles.grid}
              x1={0}
              x2={WIDTH}
              y1={HEIGHT * part}
              y2={HEIGHT * part}
            />
          ))}
          {pointed !== undefined && (
            <rect
              className={styles.pointed}
              x={(pointed / count) * WIDTH}
              y={0}
              width={WIDTH / count}
              height={HEIGHT}
            />
          )}
          <Bars chart={chart} top={top} count={count} />
          {chart.series
            .filter(({ shape }) => shape !== 'bars')
            .map((series) => (
              <Line key={series.name} series={series} top={top} count={count} />
            ))}
        </svg>
      </div>
      <p className={styles.ends}>
        <span>{timeOf(stats.from)}</span>
        <span>now</span>
      </p>
      <Table chart={chart} stats={stats} />
    </section>
  );
}

/** On each other, from the floor up. */
function Bars({ chart, top, count }: { chart: Chart; top: number; count: number }) {
  const bars = chart.series.filter(({ shape }) => shape === 'bars');
  const width = WIDTH / count;
  return bars.flatMap((series, level) =>
    series.values.map((value, index) => {
      if (!value) return null;
      const below = bars.slice(0, level).reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
      const height = (value / top) * HEIGHT;
      return (
        <rect
          // Its place in time is what a bar is.
          // oxlint-disable-next-line react/no-array-index-key
          key={`${series.name}-${index}`}
          className={tones[series.tone]}
          fill="currentColor"
          x={index * width + width * 0.12}
          y={HEIGHT - (below / top) * HEIGHT - height}
          width={width * 0.76}
          height={height}
        />
      );
    }),
  );
}

function Line({ series, top, count }: { series: Series; top: number; count: number }) {
  const width = WIDTH / count;
  const yOf = (value: number): number => HEIGHT - (value / top) * HEIGHT;
  return piecesOf(series.values).map(({ from, values }) => {
    const corners = values.flatMap((value, index) => {
      const left = (from + index) * width;
      // A value that stands alone, or holds over its interval, is as wide as that.
      if (series.shape === 'step' || values.length === 1)
        return [[left, yOf(value)] as const, [left + width, yOf(value)] as const];
      return [[left + width / 2, yOf(value)] as const];
    });
    return (
      <polyline
        key={from}
        className={`${styles.line} ${tones[series.tone]}`}
        data-shape={series.shape}
        points={corners.map((corner) => corner.join(',')).join(' ')}
      />
    );
  });
}

function Table({ chart, stats }: { chart: Chart; stats: StatsView }) {
  const rows = stats.points.flatMap(({ at }, index) => (isKnownAt(chart, index) ? [{ at, index }] : []));
  return (
    <details className={styles.table}>
      <summary>As a table</summary>
      {rows.length === 0 ? (
        <p>Nothing in this time.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              {chart.series.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ at, index }) => (
              <tr key={at}>
                <th scope="row">{timeOf(at)}</th>
                {chart.series.map((series) => (
                  <td key={series.name}>{valueAt(series, index, chart.unit)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

/** The newest interval of which anything is known. */
function lastKnown(chart: Chart, count: number): number {
  const newest = Math.max(
    ...chart.series.map(({ values }) => values.findLastIndex((value) => value !== null)),
  );
  return newest < 0 ? count - 1 : newest;
}

function valueAt({ values }: Series, index: number, unit: Chart['unit']): string {
  const value = values[index];
  return value === null || value === undefined ? '—' : formatValue(value, unit);
}

function formatValue(value: number, unit: Chart['unit']): string {
  switch (unit) {
    case 'count':
      return value.toLocaleString('en');
    case 'ms':
      return formatMs(value);
    case 'percent':
      return formatPercent(value);
  }
}

function whenOf(stats: StatsView, index: number): string {
  const at = stats.points[index]?.at;
  return at === undefined ? '' : `at ${timeOf(at)}`;
}

function timeOf(time: string): string {
  return new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
