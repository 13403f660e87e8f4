import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOG_DIR, ROOT } from '../paths.mjs';
import { isSameProcess, sendSignal, startTimeOf } from '../proc.mjs';
import { removeRecord, writeRecord } from './records.mjs';

const HURRIED_GRACE_MS = 3_000;
const ROTATE_ABOVE_BYTES = 10 * 1024 * 1024;

/**
 * Starts a program that runs beside us: in a session of its own, so that the terminal's Ctrl-C reaches only us and
 * the order of the shutdown holds; its output on a file, so that it survives us.
 * @returns {{name, pid, startTime, logFile, logOffset, isAlive, exited, stop}} logOffset: where this run's output begins
 */
export function startBackground({ name, command, args, env, record = {} }) {
  mkdirSync(LOG_DIR, { recursive: true });
  const logFile = join(LOG_DIR, `${name}.log`);
  rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const logOffset = statSync(logFile).size;
  const child = spawn(command, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid === undefined) return neverStarted(name, logFile, logOffset, exited);
  const startTime = startTimeOf(child.pid);
  writeRecord({ name, pid: child.pid, startTime, ...record });
  return handle({ name, pid: child.pid, startTime, logFile, logOffset, exited });
}

/** One that an earlier start left running: as if we had started it, but for its exit code. */
export function adopt(record) {
  const { name, pid, startTime } = record;
  const exited = untilGone(pid, startTime).then(() => ({ code: null, signal: null }));
  return handle({ name, pid, startTime, logFile: join(LOG_DIR, `${name}.log`), logOffset: 0, exited });
}

function handle({ name, pid, startTime, logFile, logOffset, exited }) {
  const isAlive = () => isSameProcess(pid, startTime);
  return {
    name,
    pid,
    startTime,
    logFile,
    logOffset,
    exited,
    isAlive,
    /**
     * Asks with a signal and kills the whole group after the grace. `hurry` (a promise) asks a second time, which
     * hurries our services, and leaves 3 s.
     */
    async stop({ signal = 'SIGTERM', graceMs = 10_000, hurry = new Promise(() => {}) } = {}) {
      const endsWithin = async (ms, cutShort = []) => {
        const timer = new AbortController();
        const tooLate = sleep(ms, 'late', { signal: timer.signal }).catch(() => 'late');
        const outcome = await Promise.race([exited.then(() => 'ended'), tooLate, ...cutShort]);
        timer.abort();
        return outcome;
      };
      if (isAlive()) {
        sendSignal(pid, signal);
        let outcome = await endsWithin(graceMs, [hurry]);
        if (outcome === 'hurry') {
          sendSignal(pid, signal);
          outcome = await endsWithin(HURRIED_GRACE_MS);
        }
        if (outcome !== 'ended' && isAlive()) sendSignal(-pid, 'SIGKILL');
      }
      await exited;
      removeRecord(name);
    },
  };
}

function neverStarted(name, logFile, logOffset, exited) {
  return {
    name,
    pid: 0,
    startTime: 0,
    logFile,
    logOffset,
    exited,
    isAlive: () => false,
    stop: async () => {},
  };
}

async function untilGone(pid, startTime) {
  while (isSameProcess(pid, startTime)) await sleep(200);
}

function rotate(logFile) {
  try {
    if (statSync(logFile).size > ROTATE_ABOVE_BYTES) renameSync(logFile, `${logFile}.1`);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

/** The last lines that this run wrote. */
export function logTail({ logFile, logOffset }, lines = 20) {
  try {
    return readFileSync(logFile)
      .subarray(logOffset)
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .slice(-lines)
      .join('\n');
  } catch {
    return '';
  }
}
