import { Button } from '../../shared/ui/button.jsx';
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

const WORDS = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  over: 'Not connected',
} as const;

/** Says across the page what makes it less than the truth. */
export function StreamBanner() {
  const connection = useConnection();
  const isRecovering = useLive((state) => state.isRecovering);
  if (connection.kind === 'lost') return <LostBanner asOf={connection.asOf} why={connection.why} />;
  if (connection.kind === 'over') return <OverBanner asOf={connection.asOf} why={connection.why} />;
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
  return (
    <p className={styles.banner} role="alert" data-testid="stream-lost">
      <strong>Not live.</strong> {why} Reconnecting; what you see is as of <Since time={asOf} />.
    </p>
  );
}

/** It does not come back by itself, and says so. */
function OverBanner({ asOf, why }: { asOf: number | undefined; why: string }) {
  return (
    <p className={styles.banner} role="alert" data-testid="stream-over">
      <strong>Not live.</strong> {why}{' '}
      {asOf !== undefined && (
        <>
          What you see is as of <Since time={asOf} />.{' '}
        </>
      )}
      <Button size="small" onClick={() => location.reload()} data-testid="connect-again">
        Connect again
      </Button>
    </p>
  );
}

function Since({ time }: { time: number }) {
  const seconds = useOwnSecondsSince(time);
  return (
    <>
      <span aria-hidden="true">{formatSeconds(seconds)} ago</span>
      <span className="visually-hidden">{new Date(time).toLocaleTimeString()}</span>
    </>
  );
}
