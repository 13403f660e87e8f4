import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readKeptLog } from './kept-log.js';
import { eraseConsumed } from './rotate.js';

let home: string;
let file: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-kept-'));
  file = path.join(home, 'agent.log');
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Page by page from the end, the oldest line first. */
async function readAll(maxLines: number): Promise<string[]> {
  const lines: string[] = [];
  let before: number | undefined;
  for (let pages = 0; pages < 10_000; pages += 1) {
    const part = await readKeptLog({ file, before, maxLines });
    lines.unshift(...(part?.lines ?? []));
    if (part?.start === undefined) return lines;
    before = part.start;
  }
  throw new Error('no end');
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);

test.each([1, 3, 7, 1000])('pages of %i lines give every line once, in order', async (maxLines) => {
  writeFileSync(file, `${numbered(100).join('\n')}\n`);
  expect(await readAll(maxLines)).toEqual(numbered(100));
});

test('it is told at which byte each line begins', async () => {
  writeFileSync(file, 'one\n\nthree\nfour');
  expect(await readKeptLog({ file, maxLines: 2 })).toEqual({
    lines: ['three', 'four'],
    starts: [5, 11],
    start: 5,
  });
  expect(await readKeptLog({ file, before: 5, maxLines: 2 })).toEqual({ lines: ['one'], starts: [0] });
});

test('so they do with blank lines, without a last line feed, and in an empty file', async () => {
  writeFileSync(file, '\n\nfirst\n\n\r\nlast');
  for (const maxLines of [1, 2, 100]) expect(await readAll(maxLines)).toEqual(['first', 'last']);
  writeFileSync(file, '');
  expect(await readAll(5)).toEqual([]);
  writeFileSync(file, '\n');
  expect(await readAll(5)).toEqual([]);
});

test('a log that is larger than one look is read on, and no line is cut at its edge', async () => {
  const lines = numbered(60_000).map((line) => `${line} ${'x'.repeat(20)}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const first = await readKeptLog({ file, maxLines: 1_000_000 });
  expect(first?.lines.length).toBeLessThan(lines.length);
  expect(await readAll(1_000_000)).toEqual(lines);
});

test('a line longer than any look is cut, and what is before and behind it is there', async () => {
  writeFileSync(file, `before\n${'y'.repeat(900_000)}\nafter\n`);
  const lines = await readAll(100);
  expect(lines.at(0)).toBe('before');
  expect(lines.at(-1)).toBe('after');
  expect(lines.join('').length).toBeLessThan(5000);
});

test('what people said is withheld, wherever the look begins', async () => {
  const said = JSON.stringify({
    event: 'transcript',
    role: 'user',
    text: `my knee ${'z'.repeat(300_000)} hurts`,
  });
  writeFileSync(file, `before\n${said}\nafter\n`);
  const lines = await readAll(100);
  expect(lines).toEqual(['before', 'after']);
});

test('of a log whose beginning was given back to the disk the rest is there', async () => {
  writeFileSync(file, 'x'.repeat(600_000));
  appendFileSync(file, `\n${numbered(10).join('\n')}\n`);
  await eraseConsumed(file, 600_001);
  expect(await readAll(4)).toEqual(numbered(10));
});

test('a log that is gone is told from an empty one', async () => {
  expect(await readKeptLog({ file: path.join(home, 'missing'), maxLines: 1 })).toBeUndefined();
});
