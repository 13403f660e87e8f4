import type { BreakerView } from '@greenroom/contracts';
import { useSecondsUntil } from '../live/clock.jsx';
import { formatSeconds } from './format.js';
import styles from './parts.module.css';
import { Status } from './status.jsx';

/** Why starts of a profile fail fast, and until when. */
export function BreakerNote({ breaker }: { breaker: BreakerView }) {
  const { status, failures, reason, openUntil } = breaker;
  const seconds = useSecondsUntil(openUntil);
  return (
    <div className={styles.breaker} data-testid="breaker" data-status={status}>
      <Status icon="bolt" tone="bad">
        {status === 'open' ? 'breaker open' : 'breaker probing'}
      </Status>
      <p>
        {failures} launches in a row have failed: {reason}{' '}
        {status === 'open' && (seconds > 0 ? `Next probe in ${formatSeconds(seconds)}.` : 'A probe is due.')}
      </p>
    </div>
  );
}
