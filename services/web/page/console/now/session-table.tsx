import { useVirtualizer } from '@tanstack/react-virtual';
import { type MouseEvent, useRef } from 'react';
import type { LiveSession } from '../live/live-state.js';
import { useMediaQuery } from '../parts/use-media-query.js';
import { navigate, PATHS, setQuery } from '../router/location.js';
import { COLUMNS } from './columns.jsx';
import { SessionRow } from './session-row.jsx';
import styles from './session-table.module.css';
import { type Sort, type SortKey, writeSort } from './sort.js';
import { extractRows, useRowFocus } from './use-row-focus.js';

/** Lines of one width, and cards where there is no room for lines; as in session-table.module.css. */
const NARROW = '(max-width: 760px)';
const LINE_HEIGHT = 36;
const CARD_HEIGHT = 66;
const HEAD_HEIGHT = 36;

export interface SessionTableProps {
  /** In the order in which they are shown. */
  readonly sessions: readonly LiveSession[];
  readonly sort: Sort;
}

/** Live sessions. Only those that can be seen are in the page, however many there are. */
export function SessionTable({ sessions, sort }: SessionTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useMediaQuery(NARROW);
  const height = isNarrow ? CARD_HEIGHT : LINE_HEIGHT;
  const headHeight = isNarrow ? 0 : HEAD_HEIGHT;
  const focus = useRowFocus(sessions, scroller, (index) => virtualizer.scrollToIndex(index));
  const virtualizer = useVirtualizer({
    count: sessions.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => sessions[index]?.sessionId ?? index,
    estimateSize: () => height,
    overscan: 4,
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    rangeExtractor: (range) => extractRows(range, focus.index),
    useFlushSync: false,
  });
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label="Live sessions"
      aria-rowcount={sessions.length + 1}
      aria-colcount={COLUMNS.length}
      className={styles.scroller}
      onKeyDown={focus.onKeyDown}
      onFocus={focus.onFocus}
      onClick={openClicked}
      data-testid="sessions"
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" aria-rowindex={1} className={styles.headRow}>
          {COLUMNS.map(({ key, label, isNumber }) => (
            <div
              key={key}
              role="columnheader"
              aria-sort={sort.by === key ? (sort.isDescending ? 'descending' : 'ascending') : 'none'}
              className={`${styles.headCell} ${isNumber ? styles.number : ''}`}
            >
              <button
                type="button"
                className={styles.sort}
                onClick={() => sortBy(key, sort)}
                data-testid={`sort-${key}`}
              >
                {label}
                <span aria-hidden="true" className={styles.arrow}>
                  {sort.by === key ? (sort.isDescending ? '▾' : '▴') : ''}
                </span>
              </button>
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles.body} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const session = sessions[index];
          return (
            session && (
              <SessionRow
                key={session.sessionId}
                session={session}
                index={index}
                top={start - headHeight}
                height={height}
                isCurrent={index === focus.index}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

/** The same column again turns it round. Numbers begin with the largest: that is whom one looks for. */
function sortBy(key: SortKey, sort: Sort): void {
  const isFirstDescending = COLUMNS.find((column) => column.key === key)?.isNumber === true && key !== 'age';
  const isDescending = sort.by === key ? !sort.isDescending : isFirstDescending;
  setQuery({ sort: writeSort({ by: key, isDescending }) });
}

/** Anywhere on a row but on its link, which does so itself. */
function openClicked(event: MouseEvent<HTMLElement>): void {
  if (!(event.target instanceof Element) || event.target.closest('a, button')) return;
  const id = event.target.closest<HTMLElement>('[data-id]')?.dataset['id'];
  // Whoever has marked text in it wants to copy that.
  if (id !== undefined && getSelection()?.isCollapsed !== false) navigate(PATHS.session(id));
}
