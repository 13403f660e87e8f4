import { readdirSync, readFileSync } from 'node:fs';

/** pid, ppid, pgid, state and start time (clock ticks since boot) of a process, from /proc; undefined when there is none. */
export function readProcess(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name is in brackets and may hold brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0],
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    startTime: Number(fields[19]),
  };
}

export function startTimeOf(pid) {
  return readProcess(pid)?.startTime;
}

/** A pid alone names nobody: the number may have been given to another since. Zombies are dead. */
export function isSameProcess(pid, startTime) {
  const now = pid > 0 ? readProcess(pid) : undefined;
  return now !== undefined && now.startTime === startTime && now.state !== 'Z' && now.state !== 'X';
}

export function commandLineOf(pid) {
  return readProcFile(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

export function environmentOf(pid) {
  return readProcFile(pid, 'environ').split('\0');
}

export function listPids() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Living processes whose environment has an entry that the test accepts; those we may not read are left out. */
export function pidsWithEnvironment(accepts) {
  return listPids().filter((pid) => readProcess(pid)?.state !== 'Z' && environmentOf(pid).some(accepts));
}

function readProcFile(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** A process that is already gone is no error. */
export function sendSignal(target, signal) {
  try {
    process.kill(target, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
