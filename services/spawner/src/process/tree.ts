import process from 'node:process';
import { type ProcessIdentity, readSurroundings, refKey } from './identity.js';
import type { ProcessEntry, ProcessTable } from './scan.js';

/** What is known of a launch when its processes are looked for. */
export interface TreeQuery {
  readonly identity: ProcessIdentity;
  /** Keys ({@link refKey}) of processes seen in this tree before; they stay members wherever they have moved. */
  readonly known: ReadonlySet<string>;
  /** Processes in the launch's cgroup, where it has one. */
  readonly inCgroup?: ReadonlySet<number>;
  /** The first process was seen under its identity during this very search, so its group number is not reused. */
  readonly wasLeaderSeen: boolean;
}

/** All processes below `pid`, without itself; those that ended are left out. */
export function descendantsOf(table: ProcessTable, pid: number): ProcessEntry[] {
  const root = table.entries.get(pid);
  if (root === undefined) return [];
  return withDescendants(table, [root]).filter((it) => it.pid !== pid && !it.hasEnded);
}

/** The living members of a process group. */
export function membersOfGroup(table: ProcessTable, pgid: number): ProcessEntry[] {
  return [...table.entries.values()].filter((it) => it.pgid === pgid && !it.hasEnded);
}

/** The living processes that carry a launch's cookie. */
export function membersOfLaunch(table: ProcessTable, launchId: string): ProcessEntry[] {
  return [...table.entries.values()].filter((it) => !it.hasEnded && carries(it, launchId));
}

/** The first process of a launch, alive or zombie, or undefined. */
export function findLeader(table: ProcessTable, identity: ProcessIdentity): ProcessEntry | undefined {
  if (!isHere(identity)) return undefined;
  const entry = table.entries.get(identity.pid);
  return entry?.startTime === identity.startTime ? entry : undefined;
}

/**
 * All living processes of a launch: its group and session, whoever carries its cookie, whoever was seen in it before,
 * and all descendants of these. Ourselves, our parent and pid 1 are never among them.
 */
export function findTree(table: ProcessTable, query: TreeQuery): ProcessEntry[] {
  if (query.identity.bootId !== readSurroundings().bootId) return [];
  const seeds = [...table.entries.values()].filter((it) => isOfTree(it, table, query));
  return withDescendants(table, seeds).filter((it) => !it.hasEnded);
}

function isOfTree(entry: ProcessEntry, table: ProcessTable, query: TreeQuery): boolean {
  const { identity } = query;
  if (isOurselves(entry.pid) || !startedAfter(entry, identity)) return false;
  if (carries(entry, identity.launchId)) return true;
  // Pids of another namespace mean nothing here; the cookie above is all there is.
  if (!isHere(identity)) return false;
  if (query.known.has(refKey(entry)) || query.inCgroup?.has(entry.pid) === true) return true;
  if (entry.pid === identity.pid) return entry.startTime === identity.startTime;
  return sharesGroup(entry, identity) && isGroupTheirs(entry, table, query);
}

function sharesGroup(entry: ProcessEntry, identity: ProcessIdentity): boolean {
  if (identity.pgid !== identity.pid) return false;
  return entry.pgid === identity.pgid || entry.sid === identity.pgid;
}

/**
 * The kernel gives a number to nobody else while a group or session bears it, but once all are gone it can come back as
 * a stranger's. With the leader seen the group is certain. Without, only those are taken whose environment tells
 * nothing: a readable one without the cookie is a stranger's.
 */
function isGroupTheirs(entry: ProcessEntry, table: ProcessTable, query: TreeQuery): boolean {
  const { identity } = query;
  const holder = table.entries.get(identity.pid);
  if (holder !== undefined) return holder.startTime === identity.startTime;
  return query.wasLeaderSeen || entry.cookie.kind === 'unknown';
}

function carries(entry: ProcessEntry, launchId: string): boolean {
  return entry.cookie.kind === 'launch' && entry.cookie.launchId === launchId;
}

function isHere(identity: ProcessIdentity): boolean {
  const here = readSurroundings();
  return identity.bootId === here.bootId && identity.pidNamespace === here.pidNamespace;
}

function isOurselves(pid: number): boolean {
  return pid <= 1 || pid === process.pid || pid === process.ppid;
}

function startedAfter(entry: ProcessEntry, other: { readonly startTime: string }): boolean {
  return Number(entry.startTime) >= Number(other.startTime);
}

function withDescendants(table: ProcessTable, seeds: readonly ProcessEntry[]): ProcessEntry[] {
  const children = groupByParent(table);
  const found = new Set(seeds);
  for (const parent of found) {
    for (const child of children.get(parent.pid) ?? []) {
      if (!isOurselves(child.pid) && startedAfter(child, parent)) found.add(child);
    }
  }
  return [...found];
}

function groupByParent(table: ProcessTable): Map<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table.entries.values()) {
    const siblings = children.get(entry.ppid);
    if (siblings === undefined) children.set(entry.ppid, [entry]);
    else siblings.push(entry);
  }
  return children;
}
