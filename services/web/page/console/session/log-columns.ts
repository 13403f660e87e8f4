import { placeOf, type Range } from './axis.js';
import type { LogLine } from './log-buffer.js';

/** What was printed within a small part of the range. */
export interface LogColumn {
  readonly index: number;
  readonly errors: number;
  readonly warnings: number;
  readonly others: number;
  /** From 0 to 1: a single line is seen beside a flood. */
  readonly height: number;
}

/** Into how many parts the range is cut. */
export const COLUMNS = 120;
const LEAST_HEIGHT = 0.3;

/** How much was printed when, and how grave it was: those parts of the range in which anything was. */
export function columnsOf(lines: readonly LogLine[], range: Range): LogColumn[] {
  const counts = new Map<number, { errors: number; warnings: number; others: number }>();
  for (const { at, level } of lines) {
    const place = at === undefined ? Number.NaN : placeOf(at, range);
    if (!(place >= 0 && place <= 100)) continue;
    const index = Math.min(COLUMNS - 1, Math.floor((place / 100) * COLUMNS));
    const count = counts.get(index) ?? { errors: 0, warnings: 0, others: 0 };
    count[level === 'error' ? 'errors' : level === 'warn' ? 'warnings' : 'others'] += 1;
    counts.set(index, count);
  }
  const totals = [...counts.values()].map(sum);
  const most = Math.log1p(Math.max(1, ...totals));
  return [...counts].map(([index, count]) => {
    const share = Math.log1p(sum(count)) / most;
    return { index, ...count, height: LEAST_HEIGHT + (1 - LEAST_HEIGHT) * share };
  });
}

function sum({ errors, warnings, others }: Omit<LogColumn, 'index' | 'height'>): number {
  return errors + warnings + others;
}

/** The time of the lines that were printed last before a moment; undefined where none was. */
export function printedBefore(lines: readonly LogLine[], moment: number | undefined): number | undefined {
  if (moment === undefined) return undefined;
  let last: number | undefined;
  for (const { at } of lines) {
    if (at !== undefined && at <= moment && (last === undefined || at > last)) last = at;
  }
  return last;
}
