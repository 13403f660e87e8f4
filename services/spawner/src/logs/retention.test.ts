import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deleteOldFiles } from './retention.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const nowMs = Date.now();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'greenroom-retention-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function write(name: string, ageDays: number): string {
  const file = path.join(folder, name);
  writeFileSync(file, 'x'.repeat(5000));
  const at = (nowMs - ageDays * DAY_MS) / 1000;
  utimesSync(file, at, at);
  return file;
}

test('old logs go; young ones, those in use and what is no log stay', async () => {
  const old = write('old.log', 8);
  write('young.log', 6);
  const used = write('used.log', 30);
  write('notes.txt', 30);
  mkdirSync(path.join(folder, 'folder.log'));
  utimesSync(path.join(folder, 'folder.log'), 0, 0);
  const inUse = new Set([path.join(folder, 'x', '..', 'used.log')]);
  const result = await deleteOldFiles({ folder, suffix: '.log', maxAgeMs: 7 * DAY_MS, inUse, nowMs });
  expect(result).toMatchObject({ deleted: [old], failed: [] });
  expect(result.freedBytes).toBeGreaterThanOrEqual(5000);
  expect(existsSync(used)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['folder.log', 'notes.txt', 'used.log', 'young.log']);
});

test('an age of 0 keeps only what is in use', async () => {
  const used = write('used.log', 0);
  write('done.log', 0);
  await deleteOldFiles({ folder, suffix: '.log', maxAgeMs: 0, inUse: new Set([used]), nowMs: nowMs + 1000 });
  expect(readdirSync(folder)).toEqual(['used.log']);
});

test('a link is not followed', async () => {
  const outside = await mkdtemp(path.join(os.tmpdir(), 'greenroom-outside-'));
  const target = path.join(outside, 'precious.log');
  writeFileSync(target, 'x');
  symlinkSync(target, path.join(folder, 'link.log'));
  await deleteOldFiles({ folder, suffix: '.log', maxAgeMs: 0, inUse: new Set(), nowMs: nowMs + 1000 });
  expect(existsSync(target)).toBe(true);
  expect(readdirSync(folder)).toEqual(['link.log']);
  await rm(outside, { recursive: true });
});

test('a folder that is not there has nothing to delete', async () => {
  const request = {
    folder: path.join(folder, 'x'),
    suffix: '.log',
    maxAgeMs: 0,
    inUse: new Set<string>(),
    nowMs,
  };
  expect(await deleteOldFiles(request)).toEqual({ deleted: [], freedBytes: 0, failed: [] });
});
