import type { LineEntryView } from '@greenroom/contracts';
import { useLive } from '../live/live.jsx';
import { Age } from '../parts/age.jsx';
import { Status } from '../parts/status.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import { Panel } from './panel.jsx';
import styles from './panel.module.css';

/** More than these have no room beside the table; all of them are in it. */
const SHOWN = 8;

/** Who waits for a place, in order. */
export function LinePanel() {
  const { waiting, entries } = useLive((state) => state.line);
  return (
    <Panel title="Waiting line" count={waiting} testId="line">
      {waiting === 0 && <p className={styles.empty}>Nobody waits.</p>}
      <ol className={styles.list}>
        {entries.slice(0, SHOWN).map((entry) => (
          <Waiting key={entry.sessionId} entry={entry} />
        ))}
      </ol>
      {waiting > SHOWN && (
        <p className={styles.facts}>
          and {waiting - Math.min(SHOWN, entries.length)} more:{' '}
          <Link href={`${PATHS.now}?state=queued`}>show all</Link>
        </p>
      )}
    </Panel>
  );
}

function Waiting({
  entry: { sessionId, position, profile, userId, queuedAt, blockedBy },
}: {
  entry: LineEntryView;
}) {
  return (
    <li className={styles.item} data-testid="waiting">
      <div className={styles.head}>
        <Link href={PATHS.session(sessionId)} className={styles.name}>
          {position}. {userId ?? 'no name'}
        </Link>
        <span className={styles.facts}>
          {profile} · <Age since={queuedAt} />
        </span>
      </div>
      {blockedBy && (
        <Status icon="lock" tone="warn">
          {blockedBy === 'no_host' ? 'no host for it' : 'its agents fail to start'}
        </Status>
      )}
    </li>
  );
}
