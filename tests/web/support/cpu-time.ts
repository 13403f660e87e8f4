import { readFileSync } from 'node:fs';
import { listProcesses } from '@greenroom/test-kit';

const TICKS_PER_SECOND = 100;

/** CPU seconds that Chromium's processes have used so far: those that this process has started, and theirs. */
export function browserCpuSeconds(): number {
  const all = listProcesses();
  const ours = new Set([process.pid]);
  // A parent has a smaller number as a rule, not always: until nothing is added.
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, ppid } of all) if (ours.has(ppid)) ours.add(pid);
  }
  return [...ours].map(cpuSecondsIfBrowser).reduce((sum, seconds) => sum + seconds, 0);
}

function cpuSecondsIfBrowser(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    if (!/^(chrom|Chrom|headless_shell)/.test(stat.slice(stat.indexOf('(') + 1, end))) return 0;
    const fields = stat.slice(end + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
