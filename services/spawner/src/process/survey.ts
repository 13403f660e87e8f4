import process from 'node:process';
import { checkIdentity, type ProcessIdentity, type ProcessRef, refKey } from './identity.js';
import { isOwnChild } from './own-children.js';
import { readCommandLine, readProportionalMemory, systemConstants } from './proc-files.js';
import { type ProcessEntry, type ProcessTable, scanProcesses } from './scan.js';
import { findLeader, findTree, membersOfLaunch } from './tree.js';

/** The answer of the debug endpoint for one agent; field names as in docs/http-api.md. */
export interface AgentProcesses {
  readonly pid: number;
  readonly pgid: number;
  readonly is_group_leader: boolean;
  readonly is_process_alive: boolean;
  readonly is_group_alive: boolean;
  /** The whole tree, the first process included, whatever groups its members have moved to. */
  readonly child_processes: readonly { pid: number; ppid: number; pgid: number; cmd: string }[];
  readonly errors: readonly string[];
}

/** What an agent's whole tree uses. */
export interface TreeUsage {
  /** Sum of resident sets; memory shared between processes counts once for each. */
  readonly rssBytes: number;
  /** CPU time of those that are alive now. */
  readonly cpuSeconds: number;
  readonly processCount: number;
}

const noneKnown: ReadonlySet<string> = new Set();

/** What runs of an agent right now. Never rejects: what could not be found out stands in `errors`. */
export async function surveyAgent(identity: ProcessIdentity): Promise<AgentProcesses> {
  const table = await scanProcesses();
  const state = checkIdentity(identity);
  const leader = findLeader(table, identity);
  const tree = treeOf(table, identity);
  return {
    pid: identity.pid,
    pgid: leader?.pgid ?? identity.pgid,
    is_group_leader: (leader?.pgid ?? identity.pgid) === identity.pid,
    is_process_alive: state === 'alive',
    is_group_alive: tree.some((it) => it.pgid === identity.pgid),
    child_processes: tree.map((it) => ({
      pid: it.pid,
      ppid: it.ppid,
      pgid: it.pgid,
      cmd: readCommandLine(it),
    })),
    errors: describeDoubts(table, state, identity),
  };
}

function describeDoubts(table: ProcessTable, state: string, identity: ProcessIdentity): string[] {
  const errors: string[] = [];
  if (!table.isComplete) errors.push('some processes could not be read');
  if (state === 'unknown') errors.push(`process ${identity.pid} cannot be judged from here`);
  if (state === 'other') errors.push(`pid ${identity.pid} belongs to another process now`);
  return errors;
}

/** Memory, CPU time and number of processes of a tree, for health checks. */
export function measureTree(table: ProcessTable, identity: ProcessIdentity): TreeUsage {
  return sumUsage(treeOf(table, identity));
}

/** What processes of one scan use together. */
export function sumUsage(tree: readonly ProcessEntry[]): TreeUsage {
  const sum = (of: (entry: ProcessEntry) => number) => tree.reduce((total, it) => total + of(it), 0);
  return {
    rssBytes: sum((it) => it.rssBytes),
    cpuSeconds: sum((it) => it.cpuTicks) / systemConstants().ticksPerSecond,
    processCount: tree.length,
  };
}

/** Memory of a tree in bytes, with what its processes share counted once. Reads every page table: not for each look. */
export function measureTreeFairly(table: ProcessTable, identity: ProcessIdentity): number {
  return treeOf(table, identity).reduce(
    (total, it) => total + (readProportionalMemory(it.pid) ?? it.rssBytes),
    0,
  );
}

/**
 * The processes of a tree, to be handed to a later stop: a helper that is seen today is found even after it has wiped
 * its environment and lost its parent. Hand in what was remembered before, so that it stays as long as it lives.
 */
export function rememberDescendants(
  table: ProcessTable,
  identity: ProcessIdentity,
  before: readonly ProcessRef[] = [],
): ProcessRef[] {
  const known = new Set(before.map(refKey));
  return findTree(table, { identity, known, wasLeaderSeen: false }).map(({ pid, startTime }) => ({
    pid,
    startTime,
  }));
}

/** The living processes of this machine that carry a launch's cookie, wherever they hang in the process tree. */
export async function withLaunchCookie(launchId: string): Promise<ProcessEntry[]> {
  return membersOfLaunch(await scanProcesses(), launchId);
}

/**
 * Zombies below us that are not our children but were handed to us, because we are pid 1 or a subreaper. Node never
 * reaps these; an init (`tini -s`, `docker run --init`) in front of us does.
 */
export function countZombieOrphans(table: ProcessTable): number {
  return [...table.entries.values()].filter(
    (it) => it.ppid === process.pid && it.state === 'Z' && !isOwnChild(it.pid),
  ).length;
}

function treeOf(table: ProcessTable, identity: ProcessIdentity): ProcessEntry[] {
  return findTree(table, { identity, known: noneKnown, wasLeaderSeen: false });
}
