import fs from 'node:fs';
import path from 'node:path';

/** What one agent may use, with all that it starts. Undefined is no limit. */
export interface AgentLimits {
  readonly memoryBytes: number | undefined;
  readonly processes: number | undefined;
}

/** Who holds a limit: the kernel, by the launch's cgroup, or our own regular look. */
export type LimitKeeper = 'cgroup' | 'watch' | 'none';

export interface LimitKeepers {
  readonly memory: LimitKeeper;
  readonly processes: LimitKeeper;
}

/**
 * Makes the kernel's limits available to the cgroups below `root`, as far as we may.
 * @returns who will hold each limit of the launches to come
 */
export function prepareLimits(root: string | undefined, limits: AgentLimits): LimitKeepers {
  const keeper = (limit: number | undefined, controller: string): LimitKeeper => {
    if (limit === undefined) return 'none';
    return root !== undefined && enableController(root, controller) ? 'cgroup' : 'watch';
  };
  return { memory: keeper(limits.memoryBytes, 'memory'), processes: keeper(limits.processes, 'pids') };
}

/** Refused by the kernel where the cgroup itself holds processes (EBUSY), or the controller belongs to somebody else. */
function enableController(root: string, controller: string): boolean {
  const read = (file: string) => fs.readFileSync(path.join(root, file), 'latin1').split(/\s+/);
  try {
    if (!read('cgroup.controllers').includes(controller)) return false;
    if (read('cgroup.subtree_control').includes(controller)) return true;
    fs.writeFileSync(path.join(root, 'cgroup.subtree_control'), `+${controller}`);
    return true;
  } catch {
    return false;
  }
}

/** Writes the limits of a launch's cgroup, before its process is in it. What cannot be written is left to the watch. */
export function writeLimits(cgroup: string, { memoryBytes, processes }: AgentLimits): void {
  if (memoryBytes !== undefined) {
    writeIfThere(cgroup, 'memory.max', memoryBytes);
    // An agent in swap answers nobody in time.
    writeIfThere(cgroup, 'memory.swap.max', 0);
    // Half an agent is of no use either.
    writeIfThere(cgroup, 'memory.oom.group', 1);
  }
  if (processes !== undefined) writeIfThere(cgroup, 'pids.max', processes);
}

function writeIfThere(cgroup: string, file: string, value: number): void {
  const target = path.join(cgroup, file);
  try {
    if (fs.existsSync(target)) fs.writeFileSync(target, String(value));
  } catch {
    // Then the watch holds it; see keepersOf.
  }
}

/** Who holds the limits of a launch: what its cgroup says, whoever wrote it. */
export function keepersOf(cgroup: string | undefined, limits: AgentLimits): LimitKeepers {
  const keeper = (limit: number | undefined, file: string): LimitKeeper => {
    if (limit === undefined) return 'none';
    return cgroup !== undefined && /^\d+$/.test(readText(cgroup, file)) ? 'cgroup' : 'watch';
  };
  return {
    memory: keeper(limits.memoryBytes, 'memory.max'),
    processes: keeper(limits.processes, 'pids.max'),
  };
}

/** Whether the kernel has killed processes of this cgroup because they went over its memory limit. */
export function ranOutOfMemory(cgroup: string | undefined): boolean {
  return cgroup !== undefined && /^oom_(group_)?kill [1-9]/m.test(readText(cgroup, 'memory.events'));
}

function readText(cgroup: string, file: string): string {
  try {
    return fs.readFileSync(path.join(cgroup, file), 'latin1').trim();
  } catch {
    return '';
  }
}
