import { describe, expect, test } from '@jest/globals';
import stringWidth from 'string-width';
import { type Column, renderFields, renderTable } from './table.js';

interface Row {
  id: string;
  user: string;
  host: string;
  size: number;
}

const COLUMNS: Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'USER', value: ({ user }) => user, min: 6, drop: 1 },
  { title: 'HOST', value: ({ host }) => host, min: 4, drop: 2 },
  { title: 'SIZE', value: ({ size }) => String(size), align: 'right', drop: 3 },
];
const ROWS: Row[] = [
  { id: 'session_1', user: 'somebody@example.com', host: 'host-a', size: 7 },
  { id: 'session_22', user: 'ada', host: 'host-with-a-name', size: 1234 },
];

const table = (width: number, rows = ROWS): string[] => renderTable(COLUMNS, rows, width);

describe('a table', () => {
  test('is aligned, with nothing cut where there is room', () => {
    expect(table(Number.POSITIVE_INFINITY)).toEqual([
      'ID          USER                  HOST              SIZE',
      'session_1   somebody@example.com  host-a               7',
      'session_22  ada                   host-with-a-name  1234',
    ]);
  });

  test('cuts what may be cut, the longest first, and says where', () => {
    expect(table(45)).toEqual([
      'ID          USER          HOST           SIZE',
      'session_1   somebody@ex…  host-a            7',
      'session_22  ada           host-with-a-…  1234',
    ]);
  });

  test('leaves columns out where cutting is not enough, the least needed first', () => {
    expect(table(26)[0]).toBe('ID          USER    HOST');
    expect(table(18)[0]).toBe('ID          USER');
    expect(table(10)[0]).toBe('ID');
  });

  test('never is wider than the terminal, for any width that the ids fit into', () => {
    for (let width = 10; width < 70; width += 1) {
      for (const line of table(width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  test('counts what characters take on the screen', () => {
    const rows = [{ id: 'session_3', user: '日本語の名前です', host: 'a', size: 1 }];
    const [titles = '', line = ''] = table(40, rows);
    expect(titles.indexOf('HOST')).toBe(stringWidth(line.slice(0, line.indexOf('  a '))) + 2);
    expect(stringWidth(table(28, rows)[1] ?? '')).toBeLessThanOrEqual(28);
  });

  test('lets nobody write to the screen: escape sequences of a name are gone', () => {
    const rows = [
      { id: 'session_4', user: '\u001b[2Jevil\u001b]0;title\u0007\u009b1m\u202e', host: 'a\nb', size: 1 },
    ];
    const text = table(80, rows).join('\n');
    expect(text).toContain('evil');
    expect(text).toContain('ab');
    // oxlint-disable-next-line no-control-regex -- none of these may be left
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

test('fields stand below each other, and those without a value are left out', () => {
  expect(
    renderFields([
      ['a', '1'],
      ['long', '2'],
      ['none', undefined],
    ]),
  ).toEqual(['a     1', 'long  2']);
});
