import type { ReactNode } from 'react';
import styles from './panel.module.css';

/** A part of the screen with a name. */
export function Panel({
  title,
  count,
  children,
  testId,
}: {
  readonly title: string;
  readonly count?: number;
  readonly children: ReactNode;
  readonly testId: string;
}) {
  return (
    <section className={styles.panel} aria-label={title} data-testid={testId}>
      <h2 className={styles.title}>
        {title}
        {count !== undefined && <span className={styles.count}>{count.toLocaleString('en')}</span>}
      </h2>
      {children}
    </section>
  );
}
