import { useLive } from '../live/live.jsx';
import { Age } from '../parts/age.jsx';
import { Status } from '../parts/status.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import styles from './alarms.module.css';

const WORDS: Readonly<Record<string, string>> = { kill_failed: 'its processes survived SIGKILL' };

/** What could not be removed: it stays here until it is. */
export function Alarms() {
  const alarms = useLive((state) => state.alarms);
  if (alarms.size === 0) return null;
  return (
    <section className={styles.alarms} aria-label="Alarms" role="alert" data-testid="alarms">
      <Status icon="alert" tone="bad">
        {alarms.size === 1 ? '1 alarm' : `${alarms.size} alarms`}
      </Status>
      <ul className={styles.list}>
        {[...alarms.values()].map(({ sessionId, alarm, host, at }) => (
          <li key={sessionId}>
            <Link href={PATHS.session(sessionId)} className={styles.link}>
              {sessionId}
            </Link>{' '}
            {host !== null && `on ${host}`}: {WORDS[alarm] ?? alarm}
            {/* Told once: an alert that ticks would be told each second. */}
            <span aria-hidden="true">
              , for <Age since={at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
