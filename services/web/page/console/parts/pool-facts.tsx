import type { PoolView } from '@greenroom/contracts';
import { Bar } from './bar.jsx';
import { formatPercent } from './format.js';

/** How full a pool is, drawn. */
export function PoolBar({ pool: { ready, warming, target } }: { pool: PoolView }) {
  return (
    <Bar
      of={target}
      parts={[
        { count: ready, tone: 'good' },
        { count: warming, tone: 'info' },
      ]}
    />
  );
}

/** Share of new sessions that got a warm agent. */
export function hitRateOf({ starts, warmStarts }: PoolView): string {
  return starts === 0 ? 'no starts yet' : `${formatPercent((warmStarts / starts) * 100)} started warm`;
}
