import type { ProcessSurvey } from '@greenroom/contracts';

type Process = ProcessSurvey['child_processes'][number];

/** Parents before their children, with how deep each stands; whose parent is not among them stands at the top. */
export function treeOf(processes: readonly Process[]): (Process & { depth: number })[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const below = (parent: number, depth: number): (Process & { depth: number })[] =>
    processes
      .filter(({ pid, ppid }) => ppid === parent && pid !== parent)
      .flatMap((process) => [{ ...process, depth }, ...below(process.pid, depth + 1)]);
  return processes
    .filter(({ pid, ppid }) => !pids.has(ppid) || ppid === pid)
    .flatMap((process) => [{ ...process, depth: 0 }, ...below(process.pid, 1)]);
}
