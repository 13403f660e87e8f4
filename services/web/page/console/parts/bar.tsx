import styles from './parts.module.css';
import tones from './tones.module.css';

export interface BarPart {
  readonly count: number;
  readonly tone: 'good' | 'info' | 'quiet';
}

/** How full something is. The words beside it say the same, so it is left out for whoever hears the page. */
export function Bar({ parts, of }: { parts: readonly BarPart[]; of: number }) {
  const whole = Math.max(
    of,
    parts.reduce((sum, { count }) => sum + count, 0),
    1,
  );
  return (
    <div className={styles.bar} aria-hidden="true">
      {parts.map(({ count, tone }) => (
        <span key={tone} className={tones[tone]} style={{ width: `${(count / whole) * 100}%` }} />
      ))}
    </div>
  );
}
