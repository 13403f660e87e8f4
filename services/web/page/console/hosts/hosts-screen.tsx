import { useLive } from '../live/live.jsx';
import { HostCard } from './host-card.jsx';
import styles from './hosts-screen.module.css';
import { PoolCard } from './pool-card.jsx';

/** Pools and hosts, and what can be done with them. */
export function HostsScreen() {
  const pools = useLive((state) => state.pools);
  const hosts = useLive((state) => state.hosts);
  return (
    <div className={styles.screen}>
      <h1 className="visually-hidden">Hosts & pool</h1>
      <section aria-labelledby="pools-title">
        <h2 id="pools-title" className={styles.title}>
          Pools
        </h2>
        <div className={styles.cards}>
          {[...pools.values()].map((pool) => (
            <PoolCard key={pool.profile} pool={pool} />
          ))}
        </div>
        {pools.size === 0 && <p className={styles.empty}>No profile is known yet.</p>}
      </section>
      <section aria-labelledby="hosts-title">
        <h2 id="hosts-title" className={styles.title}>
          Hosts
        </h2>
        <div className={styles.cards}>
          {[...hosts.values()].map((host) => (
            <HostCard key={host.host} host={host} />
          ))}
        </div>
        {hosts.size === 0 && <p className={styles.empty}>No spawner has reported. Nothing can start.</p>}
      </section>
    </div>
  );
}
