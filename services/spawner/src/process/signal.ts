import process from 'node:process';
import { type Self, UnsafeTargetError, whyUnsafeGroup, whyUnsafePid } from './guard.js';
import { checkIdentity, checkRef, type ProcessIdentity, type ProcessRef } from './identity.js';
import { readStat } from './proc-files.js';

export type Signal = 'SIGTERM' | 'SIGCONT' | 'SIGSTOP' | 'SIGKILL';

/** `refused` is EPERM: it runs under another user, so it will be reported as a survivor. */
export type SignalOutcome = 'sent' | 'gone' | 'refused';

/** Our own pid, parent and group. */
export function readSelf(): Self {
  const read = readStat(process.pid);
  if (read.kind !== 'stat') throw new Error('cannot read /proc/self/stat: is /proc mounted?');
  return { pid: process.pid, ppid: read.stat.ppid, pgid: read.stat.pgid };
}

/**
 * Signals one process, after looking that it is still the one that is meant. Check and signal happen in one turn of the
 * event loop, so our own children cannot be reaped, and their pids not be reused, in between.
 *
 * @throws UnsafeTargetError for pid 1, ourselves, our parent, and what is no pid
 */
export function signalProcess(ref: ProcessRef, signal: Signal): SignalOutcome {
  const unsafe = whyUnsafePid(ref.pid, readSelf());
  if (unsafe !== undefined) throw new UnsafeTargetError(unsafe, ref.pid);
  return checkRef(ref) === 'alive' ? send(ref.pid, signal) : 'gone';
}

/**
 * Signals the group of an agent, only while its first process is there (alive or zombie) under the same identity: that
 * is what keeps the group's number from being somebody else's.
 *
 * @throws UnsafeTargetError for groups <= 1, our own group, and what is no number
 */
export function signalGroup(identity: ProcessIdentity, signal: Signal): SignalOutcome {
  assertSafeIdentity(identity);
  if (identity.pgid !== identity.pid) return 'gone';
  const state = checkIdentity(identity);
  return state === 'alive' || state === 'zombie' ? send(-identity.pgid, signal) : 'gone';
}

/** @throws UnsafeTargetError when the identity names ourselves or nobody */
export function assertSafeIdentity(identity: Pick<ProcessIdentity, 'pid' | 'pgid'>): void {
  const self = readSelf();
  const unsafe = whyUnsafePid(identity.pid, self) ?? whyUnsafeGroup(identity.pgid, self);
  if (unsafe !== undefined) throw new UnsafeTargetError(unsafe, `pid ${identity.pid}, pgid ${identity.pgid}`);
}

function send(target: number, signal: Signal): SignalOutcome {
  try {
    process.kill(target, signal);
    return 'sent';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'refused';
    throw error;
  }
}
