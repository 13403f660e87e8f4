import type { ReactNode } from 'react';
import styles from './shell.module.css';

/** Name of the house on top, and a screen below it. */
export function Shell({ children, isTall }: { readonly children: ReactNode; readonly isTall?: boolean }) {
  return (
    <div className={`${styles['shell']} ${isTall ? styles['tall'] : ''}`}>
      <header className={styles['header']}>
        <span className={styles['mark']} aria-hidden="true" />
        <span className={styles['name']}>Greenroom</span>
      </header>
      {children}
    </div>
  );
}
