import { useLive } from '../live/live.jsx';
import { BreakerNote } from '../parts/breaker-note.jsx';
import { hitRateOf, PoolBar } from '../parts/pool-facts.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import { Panel } from './panel.jsx';
import styles from './panel.module.css';

/** Warm agents of each profile. */
export function PoolsPanel() {
  const pools = useLive((state) => state.pools);
  return (
    <Panel title="Pools" testId="pools">
      <ul className={styles.list}>
        {[...pools.values()].map((pool) => (
          <li key={pool.profile} className={styles.item} data-testid={`pool-${pool.profile}`}>
            <div className={styles.head}>
              <Link href={PATHS.hosts} className={styles.name}>
                {pool.profile}
              </Link>
              <span>
                <strong data-testid="pool-ready">{pool.ready}</strong> of{' '}
                <span data-testid="pool-target">{pool.target}</span> ready
              </span>
            </div>
            <PoolBar pool={pool} />
            <span className={styles.facts}>
              {pool.warming} warming · {hitRateOf(pool)}
            </span>
            {pool.breaker && <BreakerNote breaker={pool.breaker} />}
          </li>
        ))}
      </ul>
      {pools.size === 0 && <p className={styles.empty}>No profile is known yet.</p>}
    </Panel>
  );
}
