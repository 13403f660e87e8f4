import { memo } from 'react';
import type { LiveSession } from '../live/live-state.js';
import { COLUMNS } from './columns.jsx';
import styles from './session-table.module.css';

export interface SessionRowProps {
  readonly session: LiveSession;
  /** From 0, among those shown. */
  readonly index: number;
  /** Pixels from the top of the list. */
  readonly top: number;
  readonly height: number;
  /** Whether Tab leads to it: it does to one row, and arrows to the others. */
  readonly isCurrent: boolean;
}

/** Drawn anew only when its session or its place has changed. */
export const SessionRow = memo(function SessionRow(props: SessionRowProps) {
  const { session, index, top, height, isCurrent } = props;
  return (
    <div
      role="row"
      // The first is the heads of the columns.
      aria-rowindex={index + 2}
      tabIndex={isCurrent ? 0 : -1}
      className={`${styles.row} ${session.status === 'error' || session.alarm !== undefined ? styles.troubled : ''}`}
      style={{ transform: `translateY(${top}px)`, height }}
      data-id={session.sessionId}
      data-testid="session-row"
    >
      {COLUMNS.map(({ key, cell, isNumber }) => (
        <div
          key={key}
          role="gridcell"
          className={`${styles.cell} ${styles[key]} ${isNumber ? styles.number : ''}`}
          data-column={key}
        >
          {cell(session)}
        </div>
      ))}
    </div>
  );
});
