import fs from 'node:fs';

/** A file under /proc, or why there is none: the process is gone, or we may not (or cannot now) look. */
export type ProcRead = { kind: 'text'; text: string } | { kind: 'gone' } | { kind: 'unreadable' };

/** What one /proc/PID/stat line says, as far as this project needs it. */
export interface ProcStat {
  readonly pid: number;
  readonly comm: string;
  /** One letter of proc(5); see {@link hasEnded} for what counts as dead. */
  readonly state: string;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly isKernelThread: boolean;
  /** User and system time of the process in clock ticks, without its children. */
  readonly cpuTicks: number;
  readonly threads: number;
  /** Clock ticks after boot; with the pid it names one process for as long as the machine is up. */
  readonly startTime: string;
  readonly rssPages: number;
}

export type StatRead = { kind: 'stat'; stat: ProcStat } | { kind: 'gone' } | { kind: 'unreadable' };

const READ_SIZE = 4096;
/** An environment larger than this is cut; exec itself allows 128 KiB a string. */
const MAX_PROC_BYTES = 1024 * 1024;
const PF_KTHREAD = 0x00200000;

/** One buffer for all reads: everything here is synchronous, and /proc never blocks on a disk. */
let shared = Buffer.allocUnsafeSlow(READ_SIZE);

/** Reads a /proc file whole. Binary safe: one character a byte. */
export function readProcFile(path: string): ProcRead {
  let fd: number;
  try {
    fd = fs.openSync(path, 'r');
  } catch (error) {
    return classify(error);
  }
  try {
    return { kind: 'text', text: readWhole(fd) };
  } catch (error) {
    return classify(error);
  } finally {
    fs.closeSync(fd);
  }
}

function readWhole(fd: number): string {
  let length = 0;
  for (;;) {
    const count = fs.readSync(fd, shared, length, shared.length - length, null);
    length += count;
    if (count === 0 || length >= MAX_PROC_BYTES) return shared.toString('latin1', 0, length);
    if (length === shared.length) shared = Buffer.concat([shared], shared.length * 2);
  }
}

/** ENOENT: no such process. ESRCH: it went while we were reading. Anything else says nothing about it. */
function classify(error: unknown): { kind: 'gone' } | { kind: 'unreadable' } {
  const code = (error as NodeJS.ErrnoException).code;
  return { kind: code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'unreadable' };
}

export function readStat(pid: number): StatRead {
  const read = readProcFile(`/proc/${pid}/stat`);
  if (read.kind !== 'text') return read;
  const stat = parseStat(read.text);
  return stat === undefined ? { kind: 'unreadable' } : { kind: 'stat', stat };
}

/**
 * Parses a /proc/PID/stat line. The name stands in parentheses and may itself hold spaces, parentheses and line
 * breaks, so the fields are counted from the last `)`. Field numbers are those of proc(5).
 */
export function parseStat(line: string): ProcStat | undefined {
  const open = line.indexOf(' (');
  const close = line.lastIndexOf(') ');
  if (open < 1 || close < open) return undefined;
  const fields = line.slice(close + 2).split(' ');
  const field = (number: number): string => fields[number - 3] ?? '';
  const count = (number: number): number => Number.parseInt(field(number), 10);
  const stat: ProcStat = {
    pid: Number.parseInt(line.slice(0, open), 10),
    comm: line.slice(open + 2, close),
    state: field(3),
    ppid: count(4),
    pgid: count(5),
    sid: count(6),
    isKernelThread: (count(9) & PF_KTHREAD) !== 0,
    cpuTicks: count(14) + count(15),
    threads: count(20),
    startTime: field(22),
    rssPages: count(24),
  };
  const isSound =
    Number.isInteger(stat.pid) && Number.isInteger(stat.rssPages) && /^\d+$/.test(stat.startTime);
  return isSound ? stat : undefined;
}

/**
 * True for a process of which only the entry is left. `Z` alone does not say so: a process whose first thread has
 * ended while others run on also shows `Z`, with more than one thread.
 */
export function hasEnded(stat: Pick<ProcStat, 'state' | 'threads'>): boolean {
  return stat.state === 'X' || stat.state === 'x' || (stat.state === 'Z' && stat.threads <= 1);
}

/** The arguments joined by blanks, or `[comm]` for a process that has none (kernel thread, zombie). */
export function readCommandLine(stat: Pick<ProcStat, 'pid' | 'comm'>): string {
  const read = readProcFile(`/proc/${stat.pid}/cmdline`);
  const text = read.kind === 'text' ? Buffer.from(read.text, 'latin1').toString('utf8') : '';
  return text.replaceAll('\0', ' ').trim() || `[${stat.comm}]`;
}

/** Processes and threads of the whole machine, as cheap as can be asked; 0 where it is not told. */
export function countTasks(): number {
  const read = readProcFile('/proc/loadavg');
  return read.kind === 'text' ? Number(/ \d+\/(\d+) /.exec(read.text)?.[1] ?? 0) : 0;
}

/** Memory of a process in bytes, of what it shares only its part; undefined where that is not told. */
export function readProportionalMemory(pid: number): number | undefined {
  const read = readProcFile(`/proc/${pid}/smaps_rollup`);
  const kib = read.kind === 'text' ? /^Pss:\s+(\d+) kB$/m.exec(read.text)?.[1] : undefined;
  return kib === undefined ? undefined : Number(kib) * 1024;
}

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;
const fallbackConstants = { pageBytes: 4096, ticksPerSecond: 100 };
let constants: { pageBytes: number; ticksPerSecond: number } | undefined;

/** Page size and clock tick of this machine, as the kernel told our own process (getauxval(3)); Node has no call. */
export function systemConstants(): { pageBytes: number; ticksPerSecond: number } {
  constants ??= readAuxiliaryVector();
  return constants;
}

function readAuxiliaryVector(): { pageBytes: number; ticksPerSecond: number } {
  const read = readProcFile('/proc/self/auxv');
  if (read.kind !== 'text') return fallbackConstants;
  const bytes = Buffer.from(read.text, 'latin1');
  const found = { ...fallbackConstants };
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const key = Number(bytes.readBigUInt64LE(at));
    const value = Number(bytes.readBigUInt64LE(at + 8));
    if (key === AT_PAGESZ) found.pageBytes = value;
    if (key === AT_CLKTCK) found.ticksPerSecond = value;
  }
  return found;
}
