import { useMemo } from 'react';
import { countOf } from '../parts/format.js';
import type { Range } from './axis.js';
import type { LogLine } from './log-buffer.js';
import { COLUMNS, columnsOf } from './log-columns.js';
import styles from './log-row.module.css';

/** How much the agent printed when: errors and warnings are seen, however much else there is. */
export function LogRow({ lines, range }: { readonly lines: readonly LogLine[]; readonly range: Range }) {
  const { from, to } = range;
  // The axis is drawn anew with each move of the pointer.
  const columns = useMemo(() => columnsOf(lines, { from, to }), [lines, from, to]);
  const errors = useMemo(() => lines.filter(({ level }) => level === 'error').length, [lines]);
  const warnings = useMemo(() => lines.filter(({ level }) => level === 'warn').length, [lines]);
  return (
    <div className={styles.row} data-testid="log-row">
      <div className={styles.name}>
        Log
        {errors > 0 ? (
          <span className={styles.bad}>{countOf(errors, 'error')}</span>
        ) : (
          <span>{countOf(lines.length, 'line')}</span>
        )}
      </div>
      <div
        className={styles.lane}
        role="img"
        aria-label={`Log: ${countOf(lines.length, 'line')}, ${countOf(errors, 'error')}, ${countOf(warnings, 'warning')}`}
      >
        {columns.length === 0 && <p className={styles.none}>{whyNone(lines)}</p>}
        {columns.map(({ index, errors, warnings, others, height }) => (
          <div
            key={index}
            className={styles.column}
            style={{
              left: `${(index / COLUMNS) * 100}%`,
              width: `${100 / COLUMNS}%`,
              height: `${height * 100}%`,
            }}
          >
            {errors > 0 && <i className={styles.error} style={{ flexGrow: errors }} data-level="error" />}
            {warnings > 0 && <i className={styles.warn} style={{ flexGrow: warnings }} data-level="warn" />}
            {others > 0 && <i className={styles.other} style={{ flexGrow: others }} data-level="other" />}
          </div>
        ))}
      </div>
    </div>
  );
}

function whyNone(lines: readonly LogLine[]): string {
  if (lines.length === 0) return 'Nothing was printed.';
  return lines.some(({ at }) => at !== undefined)
    ? 'Nothing was printed in this part.'
    : 'Nobody knows when these lines were printed.';
}
