import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** R, S, D, T, Z, X … as in proc(5). */
  readonly state: string;
  /** In clock ticks since boot; with the pid it names one process for good. */
  readonly startTime: number;
}

/** What /proc says of one process; undefined when there is none. */
export function readProcess(pid: number): ProcessFacts | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command name is in brackets and may itself hold brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', ppid, pgid, sid] = fields;
  return {
    pid,
    ppid: Number(ppid),
    pgid: Number(pgid),
    sid: Number(sid),
    state,
    startTime: Number(fields[19]),
  };
}

/** Alive as a person would say it: a zombie is dead. */
export function isAlive(pid: number): boolean {
  const facts = readProcess(pid);
  return facts !== undefined && facts.state !== 'Z' && facts.state !== 'X';
}

export function listProcesses(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Living members of a process group. */
export function groupMembers(pgid: number): ProcessFacts[] {
  return listProcesses().filter((it) => it.pgid === pgid && it.state !== 'Z' && it.state !== 'X');
}

/** Living processes whose environment contains `text`; those we may not read are left out. */
export function processesWithEnvironment(text: string): ProcessFacts[] {
  return listProcesses().filter((it) => it.state !== 'Z' && readEnvironment(it.pid).includes(text));
}

export function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
