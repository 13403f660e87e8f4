import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type AgentLimits, writeLimits } from './agent-limits.js';

const PREFIX = 'greenroom-';
/** `DelegateSubgroup=` of our systemd unit: beside it, not below, the kernel lets cgroups have limits. */
const SUBGROUP = 'spawner';
const REMOVE_ATTEMPTS = 10;
const REMOVE_RETRY_MS = 20;

/**
 * The folder in which we may make cgroups of our own, or undefined: no cgroup v2, mounted read-only (most containers),
 * not delegated to us (systemd: `Delegate=yes`), or a kernel before 5.14, which has no `cgroup.kill`.
 */
export function findCgroupRoot(): string | undefined {
  const own = findOwnCgroup();
  if (own === undefined) return undefined;
  const isSubgroup = path.basename(own) === SUBGROUP;
  return [...(isSubgroup ? [path.dirname(own)] : []), own].find(mayMakeCgroups);
}

function mayMakeCgroups(folder: string): boolean {
  const probe = path.join(folder, `${PREFIX}probe-${process.pid}`);
  try {
    fs.mkdirSync(probe);
    fs.accessSync(path.join(probe, 'cgroup.kill'), fs.constants.W_OK);
    // Moving a process needs this one too, as the nearest cgroup that old and new place have in common.
    fs.accessSync(path.join(folder, 'cgroup.procs'), fs.constants.W_OK);
    return true;
  } catch {
    return false;
  } finally {
    removeNow(probe);
  }
}

function findOwnCgroup(): string | undefined {
  try {
    const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mount = mounts.find((it) => it.includes(' - cgroup2 '))?.split(' ');
    const own = /^0::(\/.*)$/m.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    const [, , , mountedPart, mountPoint] = mount ?? [];
    if (own === undefined || mountedPart === undefined || mountPoint === undefined) return undefined;
    const inside = path.relative(mountedPart, own);
    return inside.startsWith('..') ? undefined : path.join(mountPoint, inside);
  } catch {
    return undefined;
  }
}

/**
 * Puts a process, and all that it will ever start, into a cgroup of its own, which no double fork leaves. Undefined
 * where that fails: the launch goes on without.
 */
export function enterCgroup(
  root: string,
  launchId: string,
  pid: number,
  limits?: AgentLimits,
): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(launchId)) return undefined;
  const cgroup = path.join(root, PREFIX + launchId);
  try {
    fs.mkdirSync(cgroup);
    if (limits !== undefined) writeLimits(cgroup, limits);
    fs.writeFileSync(path.join(cgroup, 'cgroup.procs'), String(pid));
    return cgroup;
  } catch {
    removeNow(cgroup);
    return undefined;
  }
}

/** The processes in a launch's cgroup, those it has put into cgroups below included. */
export function listCgroup(cgroup: string): Set<number> {
  const pids = new Set<number>();
  for (const folder of withFoldersBelow(cgroup)) {
    for (const line of readLines(path.join(folder, 'cgroup.procs'))) pids.add(Number(line));
  }
  return pids;
}

/** Whether it is one of ours, and there. A wrong path would be a whole service's cgroup, possibly our own. */
export function mayKillCgroup(cgroup: string): boolean {
  if (!path.basename(cgroup).startsWith(PREFIX) || listCgroup(cgroup).has(process.pid)) return false;
  return fs.existsSync(path.join(cgroup, 'cgroup.kill'));
}

/** SIGKILL to all in the cgroup at once, forks under way included. False where it is not one of ours. */
export function killCgroup(cgroup: string): boolean {
  if (!mayKillCgroup(cgroup)) return false;
  try {
    fs.writeFileSync(path.join(cgroup, 'cgroup.kill'), '1');
    return true;
  } catch {
    return false;
  }
}

/** Removes an empty cgroup. The kernel may need a moment after its last process; one that stays busy is left. */
export async function removeCgroup(cgroup: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
    if (removeNow(cgroup)) return;
    await setTimeout(REMOVE_RETRY_MS);
  }
}

function removeNow(cgroup: string): boolean {
  try {
    for (const folder of withFoldersBelow(cgroup).reverse()) fs.rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** The cgroup and all below it, parents first. */
function withFoldersBelow(cgroup: string): string[] {
  const found = [cgroup];
  for (const folder of found) {
    for (const entry of readFolder(folder)) {
      if (entry.isDirectory()) found.push(path.join(folder, entry.name));
    }
  }
  return found;
}

function readFolder(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function readLines(file: string): string[] {
  try {
    return fs.readFileSync(file, 'latin1').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
