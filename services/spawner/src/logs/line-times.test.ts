import { appendFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeTempDir, type TempDir } from '@greenroom/test-kit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LineTimes, readLineTimes, timesFileOf } from './line-times.js';

let dir: TempDir;
let log: string;
const errors: unknown[] = [];

beforeEach(async () => {
  dir = await makeTempDir('times');
  log = path.join(dir.path, 'session_x-g1.log');
  errors.length = 0;
});
afterEach(() => dir.remove());

const open = () => new LineTimes(log, (error) => errors.push(error));
const read = () => readFileSync(timesFileOf(log), 'utf8');

test('a line has the time of the batch that it came in; before and behind what was noted nobody knows', async () => {
  const times = open();
  times.note(10, 1_000);
  await setTimeout(300);
  times.note(20, 2_000);
  await times.close();
  expect(await readLineTimes(log, [0, 9, 10, 19, 20])).toEqual([1_000, 1_000, 2_000, 2_000, null]);
  expect(await readLineTimes(path.join(dir.path, 'other.log'), [0])).toEqual([null]);
  expect(statSync(timesFileOf(log)).mode & 0o777).toBe(0o600);
  expect(timesFileOf(log)).toBe(path.join(dir.path, 'session_x-g1.times'));
  expect(timesFileOf('/a.log/printed')).toBe('/a.log/printed.times');
});

test('an agent that prints all the time has few entries, and no line without a time', async () => {
  const times = open();
  for (let i = 1; i <= 500; i += 1) times.note(i * 10, i);
  await times.close();
  expect(read().split('\n').length - 1).toBe(2);
  expect(await readLineTimes(log, [0, 10, 4_990])).toEqual([1, 500, 500]);
});

test('lines that are read again keep the time that they had', async () => {
  const first = open();
  first.note(10, 1_000);
  await first.close();
  const successor = open();
  successor.note(10, 9_000);
  await setTimeout(300);
  successor.note(30, 9_500);
  await successor.close();
  expect(await readLineTimes(log, [0, 10])).toEqual([1_000, 9_500]);
});

test('after the log was emptied its bytes count anew', async () => {
  const times = open();
  times.note(1_000, 1);
  times.clear();
  await setTimeout(300);
  times.note(10, 2);
  await times.close();
  expect(await readLineTimes(log, [0])).toEqual([2]);
});

test('an entry that a crash has cut short is left out, and what cannot be written stops nothing', async () => {
  const times = open();
  times.note(10, 1_000);
  await times.close();
  appendFileSync(timesFileOf(log), '20 17');
  expect(await readLineTimes(log, [0, 10])).toEqual([1_000, null]);
  const lost = new LineTimes(path.join(dir.path, 'no-folder', 'x.log'), (error) => errors.push(error));
  lost.note(10, 1_000);
  lost.note(20, 1_000);
  await lost.close();
  expect(errors).toHaveLength(2);
});
