import type { HostView } from '@greenroom/contracts';
import { useLive } from '../live/live.jsx';
import { HostBar, loadOf } from '../parts/host-facts.jsx';
import { countOf } from '../parts/format.js';
import { HostStatus } from '../parts/status.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import { Panel } from './panel.jsx';
import styles from './panel.module.css';

/** The machines, and how full they are. */
export function HostsPanel() {
  const hosts = useLive((state) => state.hosts);
  return (
    <Panel title="Hosts" count={hosts.size} testId="hosts">
      <ul className={styles.list}>
        {[...hosts.values()].map((host) => (
          <li
            key={host.host}
            className={styles.item}
            data-testid={`host-${host.host}`}
            data-state={host.state}
          >
            <div className={styles.head}>
              <Link href={PATHS.hosts} className={styles.name}>
                {host.host}
              </Link>
              <HostStatus state={host.state} />
            </div>
            <HostBar host={host} />
            <span className={styles.facts}>{factsOf(host)}</span>
          </li>
        ))}
      </ul>
      {hosts.size === 0 && <p className={styles.empty}>No spawner has reported. Nothing can start.</p>}
    </Panel>
  );
}

function factsOf(host: HostView): string {
  const running = `${host.running} of ${host.capacity} running`;
  const left = host.drain && `${countOf(host.drain.callsLeft, 'call')} left`;
  return [running, left ?? '', loadOf(host)].filter(Boolean).join(' · ');
}
