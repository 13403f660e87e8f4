import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { AgentLimits } from './agent-limits.js';
import { enterCgroup, removeCgroup } from './cgroup.js';
import { LAUNCH_VARIABLE, type ProcessIdentity, readIdentity } from './identity.js';
import { LaunchError } from './launch-error.js';
import { trackChild } from './own-children.js';
import { requireDirectory, resolveCommand } from './resolve-command.js';
import { signalGroup } from './signal.js';
import { listInheritableDescriptors } from './stray-descriptors.js';

/**
 * Waits for one line on descriptor 3, closes it and becomes the command. If we die first the descriptor closes, `read`
 * fails and the shell exits: an agent that nobody has on record never runs.
 */
const GATE_SCRIPT = 'read -r go <&3 || exit 75; exec 3<&-; exec "$@"';
/** EX_TEMPFAIL of sysexits.h: how a gate that was never opened exits. */
export const GATE_EXIT_CODE = 75;
const GATE_DESCRIPTOR = 3;
const ABANDON_LIMIT_MS = 1000;
/** Under memory pressure the kernel takes an agent before it takes the spawner or Redis. */
const OOM_SCORE_ADJ = '500';

export interface LaunchRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute path. */
  readonly cwd: string;
  /** All that the agent gets; nothing of our own environment is added but the launch cookie. */
  readonly env: Readonly<Record<string, string>>;
  /** Created if missing, readable by us alone, only ever appended to. */
  readonly logFile: string;
  readonly launchId: string;
  /** From findCgroupRoot: the launch gets a cgroup of its own below it. */
  readonly cgroupRoot?: string | undefined;
  /** Held by that cgroup, as far as the kernel lets us. */
  readonly limits?: AgentLimits | undefined;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A shell that waits at the gate, with the pid, group and start time that the agent will have. */
export interface GatedLaunch {
  readonly identity: ProcessIdentity;
  /** The group is the process's own; a caller warns where it is not, since the tree is then harder to stop. */
  readonly leadsGroup: boolean;
  /** Its cgroup, to be recorded and handed to the stop; undefined where it has none. */
  readonly cgroup: string | undefined;
  /** Variables that are no shell names (`FOO.BAR`): dash does not hand them on. */
  readonly droppedVariables: readonly string[];
  /** Settles when the first process is gone, whoever else still holds its files; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Lets the command run. @throws LaunchError gate_closed when the shell is gone */
  readonly release: () => Promise<void>;
  /** Ends the shell without running the command; after {@link release} it does nothing. */
  readonly abandon: () => Promise<void>;
}

/**
 * Starts a command behind a gate: it has an identity that can be recorded, and runs only when told to.
 *
 * @throws LaunchError
 */
export async function openGate(request: LaunchRequest): Promise<GatedLaunch> {
  await requireDirectory(request.cwd);
  await resolveCommand(request.command, request.cwd, request.env['PATH']);
  const log = await openLog(request.logFile);
  try {
    return await startShell(request, log.fd);
  } finally {
    await log.close();
  }
}

async function openLog(logFile: string): Promise<FileHandle> {
  try {
    return await open(logFile, 'a', 0o600);
  } catch (cause) {
    throw new LaunchError('log_not_writable', `cannot append to ${logFile}`, { cause });
  }
}

async function startShell(request: LaunchRequest, logDescriptor: number): Promise<GatedLaunch> {
  const child = spawnShell(request, logDescriptor);
  const gate = child.stdio[GATE_DESCRIPTOR] as Socket;
  // The shell may go away at any time; whoever writes to the gate learns of it there.
  gate.on('error', () => {});
  const exited = watchExit(child);
  const identity = child.pid === undefined ? undefined : readIdentity(child.pid, request.launchId);
  if (identity === undefined) throw await explainFailure(child, gate);
  raiseOomScore(identity.pid);
  const { cgroupRoot, launchId, limits } = request;
  const cgroup =
    cgroupRoot === undefined ? undefined : enterCgroup(cgroupRoot, launchId, identity.pid, limits);
  // Neither may keep a spawner alive that is about to hand over.
  child.unref();
  gate.unref();
  return toGatedLaunch({ identity, cgroup, request, gate, exited });
}

function spawnShell(request: LaunchRequest, logDescriptor: number): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', GATE_SCRIPT, 'gate', request.command, ...request.args], {
      cwd: request.cwd,
      env: { ...request.env, [LAUNCH_VARIABLE]: request.launchId },
      detached: true,
      stdio: buildStdio(logDescriptor),
    });
  } catch (cause) {
    throw new LaunchError('invalid_argument', `cannot start ${request.command}: ${String(cause)}`, { cause });
  }
}

/** Covers what the agent would inherit with /dev/null, since a descriptor cannot be closed from here. */
function buildStdio(logDescriptor: number): StdioOptions {
  const stdio: (number | 'ignore' | 'pipe')[] = ['ignore', logDescriptor, logDescriptor, 'pipe'];
  const strays = listInheritableDescriptors().filter((fd) => fd > GATE_DESCRIPTOR);
  if (strays.length === 0) return stdio;
  for (const fd of strays) stdio[fd] = openNullDevice();
  return Array.from(stdio, (it) => it ?? 'ignore');
}

function openNullDevice(): number {
  nullDevice ??= fs.openSync('/dev/null', 'r+');
  return nullDevice;
}
let nullDevice: number | undefined;

/** `exit` fires when the process ends; `close` would wait for every helper that still holds its output. */
function watchExit(child: ChildProcess): Promise<ProcessExit> {
  trackChild(child);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

async function explainFailure(child: ChildProcess, gate: Socket | undefined): Promise<LaunchError> {
  gate?.destroy();
  const [cause] = child.pid === undefined ? await once(child, 'error') : [new Error('it ended at once')];
  return new LaunchError('spawn_failed', `cannot start a process: ${String(cause)}`, { cause });
}

function raiseOomScore(pid: number): void {
  try {
    fs.writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJ);
  } catch {
    // Some sandboxes forbid it; the agent runs all the same.
  }
}

interface LaunchParts {
  readonly identity: ProcessIdentity;
  readonly cgroup: string | undefined;
  readonly request: LaunchRequest;
  readonly gate: Socket;
  readonly exited: Promise<ProcessExit>;
}

function toGatedLaunch({ identity, cgroup, request, gate, exited }: LaunchParts): GatedLaunch {
  return {
    identity,
    cgroup,
    leadsGroup: identity.pgid === identity.pid,
    droppedVariables: Object.keys(request.env).filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)),
    exited,
    release: () => writeGo(gate),
    abandon: async () => {
      if (gate.destroyed) return;
      await abandonGate(gate, identity, exited);
      if (cgroup !== undefined) await removeCgroup(cgroup);
    },
  };
}

function writeGo(gate: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause?: Error) =>
      reject(
        new LaunchError('gate_closed', 'the process ended before it was let through the gate', { cause }),
      );
    if (gate.destroyed || gate.writableEnded) return refuse();
    gate.write('go\n', (error) => {
      gate.destroy();
      if (error) refuse(error);
      else resolve();
    });
  });
}

async function abandonGate(
  gate: Socket,
  identity: ProcessIdentity,
  exited: Promise<ProcessExit>,
): Promise<void> {
  gate.destroy();
  const limit = new AbortController();
  const tooLate = setTimeout(ABANDON_LIMIT_MS, 'stuck' as const, { signal: limit.signal });
  const outcome = await Promise.race([exited, tooLate]);
  if (outcome === 'stuck') signalGroup(identity, 'SIGKILL');
  else limit.abort();
  await exited;
}
