import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOME_DIR } from './paths.mjs';
import { isSameProcess, startTimeOf } from './proc.mjs';
import { say } from './ui.mjs';

const LOCK = join(HOME_DIR, 'setup.lock');

/** `npm start` and `npm test` may be typed at once; two installs into one node_modules would ruin it. */
export async function withSetupLock(work) {
  await takeLock();
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

async function takeLock() {
  mkdirSync(HOME_DIR, { recursive: true });
  for (let said = false; ; said = true) {
    try {
      writeFileSync(LOCK, `${process.pid} ${startTimeOf(process.pid)}`, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const [pid, startTime] = readLock();
    if (!isSameProcess(pid, startTime)) rmSync(LOCK, { force: true });
    else if (!said) say(`• waiting for another set-up in this folder to finish (pid ${pid})`);
    await sleep(300);
  }
}

function readLock() {
  try {
    return readFileSync(LOCK, 'utf8').split(' ').map(Number);
  } catch {
    return [];
  }
}
