import stringWidth from 'string-width';
import { clean } from './clean.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** May be cut down to so many characters where the terminal is narrow. Default: never cut. */
  readonly min?: number;
  /** Left out altogether where cutting is not enough, the highest number first. Default: never. */
  readonly drop?: number;
  /** Colour of a whole cell. */
  readonly paint?: (text: string, row: Row) => string;
}

const GAP = '  ';
const ELLIPSIS = '…';

/** Lines of aligned text, the titles first, that fit into `width`: cells are cut, then columns left out. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  paintTitle: (text: string) => string = (text) => text,
): string[] {
  const cells = columns.map((column) => rows.map((row) => clean(column.value(row))));
  const { shown, widths } = fit(columns, cells, width);
  const line = (texts: string[], paint: (text: string, index: number) => string): string =>
    shown
      .map((columnIndex, index) => {
        const padded = pad(texts[index] ?? '', widths[index] ?? 0, columns[columnIndex]?.align);
        return paint(padded, columnIndex);
      })
      .join(GAP)
      .replace(/ +$/, '');
  const titles = line(
    shown.map((index) => columns[index]?.title ?? ''),
    (text) => paintTitle(text),
  );
  const body = rows.map((row, rowIndex) =>
    line(
      shown.map((index) => cells[index]?.[rowIndex] ?? ''),
      (text, index) => columns[index]?.paint?.(text, row) ?? text,
    ),
  );
  return [titles, ...body];
}

interface Fit {
  readonly shown: number[];
  readonly widths: number[];
}

function fit<Row>(columns: readonly Column<Row>[], cells: readonly string[][], width: number): Fit {
  const natural = columns.map(({ title }, index) =>
    Math.max(stringWidth(title), ...(cells[index] ?? []).map((cell) => stringWidth(cell))),
  );
  let shown = columns.map((_, index) => index);
  for (;;) {
    const widths = shown.map((index) => natural[index] ?? 0);
    shrink(
      widths,
      shown.map((index) => columns[index]?.min),
      width,
    );
    const last = toDrop(columns, shown);
    if (total(widths) <= width || last === undefined) return { shown, widths };
    shown = shown.filter((index) => index !== last);
  }
}

/** The widest that may still be cut gives way first. */
function shrink(widths: number[], mins: readonly (number | undefined)[], width: number): void {
  while (total(widths) > width) {
    const candidates = widths.map((own, index) => (own > (mins[index] ?? own) ? own : 0));
    const widest = Math.max(...candidates);
    if (widest === 0) return;
    const index = candidates.indexOf(widest);
    widths[index] = widest - 1;
  }
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, own) => sum + own, 0) + GAP.length * Math.max(0, widths.length - 1);
}

function toDrop<Row>(columns: readonly Column<Row>[], shown: readonly number[]): number | undefined {
  const droppable = shown.filter((index) => columns[index]?.drop !== undefined);
  return droppable.sort((a, b) => (columns[b]?.drop ?? 0) - (columns[a]?.drop ?? 0))[0];
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, width);
  const space = ' '.repeat(Math.max(0, width - stringWidth(cut)));
  return align === 'right' ? space + cut : cut + space;
}

/** As much of a text as fits, with an ellipsis where something is missing. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return kept + ELLIPSIS;
}

/** `label  value` lines with the values below each other; entries without a value are left out. */
export function renderFields(fields: readonly (readonly [string, string | undefined])[]): string[] {
  const given = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  const width = Math.max(0, ...given.map(([label]) => label.length));
  return given.map(([label, value]) => `${label.padEnd(width)}${GAP}${clean(value)}`.trimEnd());
}
