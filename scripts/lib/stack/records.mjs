import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_DIR } from '../paths.mjs';
import { isSameProcess } from '../proc.mjs';

/**
 * What we have running, one file each under .greenroom/run: `{name, pid, startTime, ...}`. They outlive us, so that
 * the next start finds what a killed one left, and other scripts find the address of the Redis in use.
 */
export function writeRecord(record, dir = RUN_DIR) {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${record.name}.json`);
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.${process.pid}`, file);
}

export function removeRecord(name, dir = RUN_DIR) {
  rmSync(join(dir, `${name}.json`), { force: true });
}

/** The record of that name if its process still lives; a record of a dead one is removed. */
export function livingRecord(name, dir = RUN_DIR) {
  const record = readRecord(join(dir, `${name}.json`));
  if (!record) return undefined;
  if (isSameProcess(record.pid, record.startTime)) return record;
  removeRecord(name, dir);
  return undefined;
}

export function recordNames(dir = RUN_DIR) {
  try {
    return readdirSync(dir)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
  } catch {
    return [];
  }
}

function readRecord(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
