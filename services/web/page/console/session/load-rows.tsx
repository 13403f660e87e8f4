import type { LoadSample } from '@greenroom/contracts';
import { formatBytes, formatPercent } from '../parts/format.js';
import { placeOf, type Range } from './axis.js';
import styles from './load-rows.module.css';

/** So that the highest point does not lie under the number at the top. */
const HEADROOM = 1.6;

interface Point {
  readonly at: number;
  readonly value: number;
}

/** CPU and memory of the agent with all that it started, as the health checks saw them. */
export function LoadRows({ samples, range }: { samples: readonly LoadSample[]; range: Range }) {
  const cpu = samples.map(({ at, cpuPercent }) => ({ at: Date.parse(at), value: cpuPercent }));
  const memory = samples.map(({ at, memoryBytes }) => ({ at: Date.parse(at), value: memoryBytes }));
  return (
    <>
      <LoadRow name="CPU" points={cpu} least={100} range={range} format={formatPercent} />
      <LoadRow name="Memory" points={memory} least={64 * 1_048_576} range={range} format={formatBytes} />
    </>
  );
}

function LoadRow({
  name,
  points,
  least,
  range,
  format,
}: {
  readonly name: string;
  readonly points: readonly Point[];
  /** The scale reaches at least this far: a little load must not look like a lot. */
  readonly least: number;
  readonly range: Range;
  readonly format: (value: number) => string;
}) {
  const most = Math.max(least, ...points.map(({ value }) => value * HEADROOM));
  const line = points
    .map(({ at, value }) => `${placeOf(at, range) * 10},${38 - (value / most) * 36}`)
    .join(' ');
  const last = points.at(-1);
  return (
    <div className={styles.row} data-testid={`load-${name.toLowerCase()}`}>
      <div className={styles.name}>
        {name}
        <span>{last ? format(last.value) : '—'}</span>
      </div>
      <div className={styles.lane}>
        {last === undefined ? (
          <p className={styles.none}>No health check has measured it yet.</p>
        ) : (
          <svg
            viewBox="0 0 1000 40"
            preserveAspectRatio="none"
            role="img"
            aria-label={`${name}: ${format(last.value)} at last, ${format(Math.max(...points.map(({ value }) => value)))} at most`}
          >
            <polyline points={line} />
            {points.map(({ at, value }) => (
              <line
                key={at}
                x1={placeOf(at, range) * 10}
                x2={placeOf(at, range) * 10 + 0.01}
                y1={38 - (value / most) * 36}
                y2={38 - (value / most) * 36}
              />
            ))}
          </svg>
        )}
        <span className={styles.most}>{last && format(most)}</span>
      </div>
    </div>
  );
}
