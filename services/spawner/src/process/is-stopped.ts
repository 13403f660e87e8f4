import type { ProcessRef } from './identity.js';
import { readStat } from './proc-files.js';

/** Whether a process is held by a signal (`T`) or a debugger (`t`). One that cannot be read, or is another's by now, is not. */
export function isStopped(ref: ProcessRef): boolean {
  const read = readStat(ref.pid);
  return read.kind === 'stat' && read.stat.startTime === ref.startTime && /^[Tt]$/.test(read.stat.state);
}
