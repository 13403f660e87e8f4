import { formatSeconds } from '../parts/format.js';
import { useOwnSecondsSince } from '../live/clock.jsx';
import { useConnection, useLive } from '../live/live.jsx';
import styles from './stream-state.module.css';

/** Whether what the page shows is so now. */
export function StreamState() {
  const { kind } = useConnection();
  return (
    <span className={`${styles.state} ${styles[kind]}`} data-testid="stream-state" data-state={kind}>
      <span className={styles.dot} aria-hidden="true" />
      <span role="status">{WORDS[kind]}</span>
    </span>
  );
}

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const;

/** Says across the page what makes it less than the truth. */
export function StreamBanner() {
  const connection = useConnection();
  const isRecovering = useLive((state) => state.isRecovering);
  if (connection.kind === 'lost') return <LostBanner asOf={connection.asOf} why={connection.why} />;
  if (connection.kind === 'connecting' && connection.why !== undefined) {
    return (
      <p className={styles.banner} role="alert">
        {connection.why} Trying again.
      </p>
    );
  }
  if (!isRecovering) return null;
  return (
    <p className={styles.banner} role="status" data-testid="recovering">
      Redis has lost its data, and it is being put together again. What is missing here may come back. Calls
      go on.
    </p>
  );
}

function LostBanner({ asOf, why }: { asOf: number; why: string }) {
  const seconds = useOwnSecondsSince(asOf);
  return (
    <p className={styles.banner} role="alert" data-testid="stream-lost">
      <strong>Not live.</strong> {why} Reconnecting; what you see is as of{' '}
      <span aria-hidden="true">{formatSeconds(seconds)} ago</span>
      <span className="visually-hidden">{new Date(asOf).toLocaleTimeString()}</span>.
    </p>
  );
}
