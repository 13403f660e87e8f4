import fs from 'node:fs';
import { hasEnded, readProcFile, readStat } from './proc-files.js';

/** One process for certain, as long as the machine is up: a pid alone is handed out again. */
export interface ProcessRef {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** An agent's first process, recognisable after a restart of the spawner, of its container or of the machine. */
export interface ProcessIdentity extends ProcessRef {
  readonly pgid: number;
  /** /proc/sys/kernel/random/boot_id; shared by the containers of one machine. */
  readonly bootId: string;
  /** Inode of /proc/self/ns/pid of the spawner that launched it: pids mean nothing outside of it. */
  readonly pidNamespace: string;
  /** Value of GREENROOM_LAUNCH in its environment. */
  readonly launchId: string;
}

/**
 * - `alive`: it runs. `zombie`: it ended and its entry waits for its parent; its pid cannot be reused yet.
 * - `gone`: it is certainly not running. `other`: its pid now belongs to somebody else.
 * - `unknown`: we cannot tell from here, so nothing may be concluded or signalled.
 */
export type IdentityState = 'alive' | 'zombie' | 'gone' | 'other' | 'unknown';

/** The variable that marks every process of a launch. */
export const LAUNCH_VARIABLE = 'GREENROOM_LAUNCH';

/** A launch id, `none` in a readable environment without one, `unknown` where the environment tells nothing. */
export type LaunchCookie =
  | { readonly kind: 'launch'; readonly launchId: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

/** Boot id and pid namespace of this process; neither changes while it lives. */
export function readSurroundings(): { bootId: string; pidNamespace: string } {
  try {
    surroundings ??= {
      bootId: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      pidNamespace: inodeOf(fs.readlinkSync('/proc/self/ns/pid')),
    };
  } catch (cause) {
    throw new Error('There is no procfs at /proc, so processes could not be told apart. Mount it.', {
      cause,
    });
  }
  return surroundings;
}
let surroundings: { bootId: string; pidNamespace: string } | undefined;

/** The link reads `pid:[4026531836]`. */
function inodeOf(link: string): string {
  return /\[(\d+)\]/.exec(link)?.[1] ?? link;
}

/** Reads the identity of a process just launched; undefined when it has left no trace. */
export function readIdentity(pid: number, launchId: string): ProcessIdentity | undefined {
  const read = readStat(pid);
  if (read.kind !== 'stat') return undefined;
  const { pgid, startTime } = read.stat;
  return { pid, pgid, startTime, ...readSurroundings(), launchId };
}

/**
 * Compares an identity with what runs now.
 *
 * Another boot id means `gone`: no process survives a boot. Another pid namespace means `unknown`, not `gone`: boot ids
 * are shared by containers, and the container that launched it may still run beside us (a rolling deploy on one
 * volume). Whoever holds the host's lease may treat that as gone once no process carries the launch id.
 */
export function checkIdentity(identity: ProcessIdentity): IdentityState {
  const here = readSurroundings();
  if (identity.bootId !== here.bootId) return 'gone';
  if (identity.pidNamespace !== here.pidNamespace) return 'unknown';
  const state = checkRef(identity);
  if (state !== 'alive') return state;
  const cookie = readLaunchCookie(identity.pid);
  // Start times have a resolution of 10 ms; the cookie settles a pid reused within one tick. No cookie proves nothing:
  // a program that sets its own title overwrites its environment.
  return cookie.kind === 'launch' && cookie.launchId !== identity.launchId ? 'other' : 'alive';
}

/** The same by pid and start time alone, for descendants; only valid within this boot and namespace. */
export function checkRef(ref: ProcessRef): IdentityState {
  const read = readStat(ref.pid);
  if (read.kind === 'gone') return 'gone';
  if (read.kind === 'unreadable') return 'unknown';
  if (read.stat.startTime !== ref.startTime) return 'other';
  if (!hasEnded(read.stat)) return 'alive';
  return read.stat.state === 'Z' ? 'zombie' : 'gone';
}

/** Which launch a process belongs to, from its environment. */
export function readLaunchCookie(pid: number): LaunchCookie {
  const read = readProcFile(`/proc/${pid}/environ`);
  return read.kind === 'text' ? parseLaunchCookie(read.text) : { kind: 'unknown' };
}

const LAUNCH_ENTRY = new RegExp(`(?:^|\\0)${LAUNCH_VARIABLE}=([^\\0]*)(?:\\0|$)`);
const ANY_ENTRY = /(?:^|\0)[A-Za-z_][A-Za-z0-9_]*=/;

/**
 * An environment that is empty or does not read like one was wiped (`env -i`) or overwritten (setproctitle, Perl's
 * `$0`): that is unknown, not foreign.
 */
export function parseLaunchCookie(environ: string): LaunchCookie {
  const launchId = LAUNCH_ENTRY.exec(environ)?.[1];
  if (launchId !== undefined) return { kind: 'launch', launchId };
  return { kind: ANY_ENTRY.test(environ) ? 'none' : 'unknown' };
}

/** A key for sets and maps of processes. */
export function refKey(ref: ProcessRef): string {
  return `${ref.pid}:${ref.startTime}`;
}
