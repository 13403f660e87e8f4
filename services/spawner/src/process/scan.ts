import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type LaunchCookie, type ProcessRef, readLaunchCookie } from './identity.js';
import { hasEnded, type ProcStat, readStat, systemConstants } from './proc-files.js';

/** One process as a scan of /proc saw it. */
export interface ProcessEntry extends ProcessRef {
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: string;
  /** Nothing of it runs any more (zombie or dead). */
  readonly hasEnded: boolean;
  readonly comm: string;
  readonly rssBytes: number;
  readonly cpuTicks: number;
  readonly cookie: LaunchCookie;
}

/** All processes we can see. Not a snapshot: whoever needs certainty scans twice. */
export interface ProcessTable {
  readonly entries: ReadonlyMap<number, ProcessEntry>;
  /** False when something was there that could not be read (no file descriptors left, say): proves no absence. */
  readonly isComplete: boolean;
}

/** A scan lets other work in after this long. */
const SLICE_MS = 8;

const nothing: ProcessTable = { entries: new Map(), isComplete: false };
let latest: ProcessTable = nothing;
let running: Promise<ProcessTable> | undefined;
let queued: Promise<ProcessTable> | undefined;

/**
 * Scans /proc once and reads every process's launch cookie. The scan begins after the call, and all who ask before it
 * begins share it, so twenty stops at once cost as much as one. Never rejects.
 */
export function scanProcesses(): Promise<ProcessTable> {
  queued ??= runNext();
  return queued;
}

async function runNext(): Promise<ProcessTable> {
  await running;
  await setImmediate();
  running = queued;
  queued = undefined;
  latest = await scanOnce(latest);
  return latest;
}

async function scanOnce(previous: ProcessTable): Promise<ProcessTable> {
  const entries = new Map<number, ProcessEntry>();
  const pids = listPids();
  let isComplete = pids !== undefined;
  let sliceStart = performance.now();
  for (const pid of pids ?? []) {
    const entry = readEntry(pid, previous);
    if (entry === 'unreadable') isComplete = false;
    else if (entry !== 'gone') entries.set(pid, entry);
    if (performance.now() - sliceStart > SLICE_MS) {
      await setImmediate();
      sliceStart = performance.now();
    }
  }
  return { entries, isComplete };
}

function listPids(): number[] | undefined {
  try {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return undefined;
  }
}

function readEntry(pid: number, previous: ProcessTable): ProcessEntry | 'gone' | 'unreadable' {
  const read = readStat(pid);
  return read.kind === 'stat' ? toEntry(read.stat, previous.entries.get(pid)) : read.kind;
}

function toEntry(stat: ProcStat, before: ProcessEntry | undefined): ProcessEntry {
  const { pid, startTime, ppid, pgid, sid, state, comm, cpuTicks } = stat;
  const ended = hasEnded(stat);
  const fresh: LaunchCookie = ended || stat.isKernelThread ? { kind: 'none' } : readLaunchCookie(pid);
  // Once seen, a cookie stays: a program may wipe its environment later, and is still of that launch.
  const isSame = before?.startTime === startTime;
  const cookie = isSame && fresh.kind !== 'launch' && before.cookie.kind === 'launch' ? before.cookie : fresh;
  const rssBytes = stat.rssPages * systemConstants().pageBytes;
  return { pid, startTime, ppid, pgid, sid, state, hasEnded: ended, comm, rssBytes, cpuTicks, cookie };
}
