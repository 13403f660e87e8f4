import type { StatsView } from '@greenroom/contracts';
import { Button } from '../../shared/ui/button.jsx';
import { formatMs, formatPercent } from '../parts/format.js';
import { Problem } from '../parts/problem.jsx';
import { setQuery, useQuery } from '../router/location.js';
import { ChartCard } from './chart-card.jsx';
import styles from './charts-screen.module.css';
import { chartsOf } from './series.js';
import { useStats } from './use-stats.js';

/** The last hour and day, from the service's own history. */
export function ChartsScreen() {
  const window = new URLSearchParams(useQuery()).get('window') === 'day' ? 'day' : 'hour';
  const { stats, problem } = useStats(window);
  const shown = stats?.window === window ? stats : undefined;
  return (
    <div className={styles.screen}>
      <div className={styles.top}>
        <h1>The last {window}</h1>
        <div className={styles.windows} role="group" aria-label="How far back">
          {(['hour', 'day'] as const).map((name) => (
            <Button
              key={name}
              size="small"
              kind={name === window ? 'primary' : 'plain'}
              aria-pressed={name === window}
              onClick={() => setQuery({ window: name === 'hour' ? '' : name })}
              data-testid={`window-${name}`}
            >
              {name === 'hour' ? 'Hour' : 'Day'}
            </Button>
          ))}
        </div>
      </div>
      <Problem testId="charts-problem">{problem}</Problem>
      <Totals stats={shown} />
      <div className={styles.charts} data-testid="charts">
        {shown && chartsOf(shown).map((chart) => <ChartCard key={chart.id} chart={chart} stats={shown} />)}
      </div>
    </div>
  );
}

/** In all. It has its place before the numbers are there, so that nothing moves when they come. */
function Totals({ stats }: { stats: StatsView | undefined }) {
  const totals = stats?.totals;
  const hitRate = totals?.hitRate ?? null;
  const facts: [string, string][] = [
    ['Starts', numberOf(totals?.starts)],
    ['Started warm', hitRate === null ? '—' : formatPercent(hitRate * 100)],
    ['Agent there, p50', totals?.startMs ? formatMs(totals.startMs.p50) : '—'],
    ['p95', totals?.startMs ? formatMs(totals.startMs.p95) : '—'],
    ['Ended', numberOf(totals?.ended)],
    ['Starts that failed', numberOf(totals?.failed)],
    ['Errors in all', numberOf(totals?.errors)],
  ];
  return (
    <>
      <dl className={styles.totals} data-testid="totals">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.reasons}>{totals === undefined ? 'Loading…' : reasonsOf(totals)}</p>
    </>
  );
}

function numberOf(count: number | undefined): string {
  return count === undefined ? '—' : count.toLocaleString('en');
}

function reasonsOf({ starts, endReasons }: StatsView['totals']): string {
  const reasons = Object.entries(endReasons).sort(([, a], [, b]) => b - a);
  if (reasons.length > 0) {
    return `Why sessions ended: ${reasons.map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${numberOf(count)}`).join(', ')}.`;
  }
  return starts === 0
    ? 'Nobody has called in this time. Open the call screen, or call from a terminal: greenroom call.'
    : 'No session has ended in this time.';
}
