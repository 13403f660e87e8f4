import { readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { checkRef, readIdentity } from './identity.js';
import { openGate } from './launch.js';
import { scanProcesses } from './scan.js';
import { stopTree } from './stop.js';
import { membersOfLaunch } from './tree.js';

export interface ProbeRequest {
  /** A launch id of ours that no session has. */
  readonly launchId: string;
  /** A file of the probe's own; gone afterwards. */
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One child in a session of its own, one that has lost its parent too. They end by themselves if we cannot end them. */
const PROBE_SCRIPT = `setsid sh -c 'echo "pid $$"; exec sleep 10' &
(setsid sh -c 'sh -c "echo pid \\$\\$; exec sleep 10" & exit 0' &)
exec sleep 10`;
const ESCAPEES = 2;
const START_LIMIT_MS = 5000;
const FIND_LIMIT_MS = 5000;
const LEAST_LOOKS = 3;
const KILL_LIMIT_MS = 2000;
const POLL_MS = 10;

/**
 * Tries on a child of ours what every end depends on: that processes which hide from their group are found and killed.
 * @returns why they are not, in a sentence for the operator; undefined when all is well
 */
export async function probeHunting(request: ProbeRequest): Promise<string | undefined> {
  const strange = whyProcIsStrange();
  if (strange !== undefined) return strange;
  try {
    // A spawner that was stopped during its probe has left the pids of that one.
    await rm(request.logFile, { force: true });
    return await hunt(request);
  } catch (error) {
    return `a probe process could not be started: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await rm(request.logFile, { force: true });
  }
}

function whyProcIsStrange(): string | undefined {
  let self: string;
  try {
    self = readlinkSync('/proc/self');
  } catch {
    return 'there is no procfs at /proc, so processes that leave their group could not be found';
  }
  return self === String(process.pid)
    ? undefined
    : 'the procfs at /proc belongs to another pid namespace: mount one of this namespace';
}

async function hunt({ launchId, logFile, env }: ProbeRequest): Promise<string | undefined> {
  const gate = await openGate({
    command: '/bin/sh',
    args: ['-c', PROBE_SCRIPT],
    cwd: '/',
    env,
    logFile,
    launchId,
  });
  await gate.release();
  const escapees = await readPids(logFile);
  const missing = await findAll(launchId, escapees);
  const refs = escapees.flatMap((pid) => readIdentity(pid, launchId) ?? []);
  const stopped = await stopTree({ identity: gate.identity, graceMs: 0, killLimitMs: KILL_LIMIT_MS });
  if (escapees.length < ESCAPEES) return 'probe processes did not start in time';
  if (missing.length > 0) {
    return (
      `processes that have left their session are not found in /proc (${missing.join(', ')}): it hides them ` +
      '(hidepid), or they run as another user'
    );
  }
  const isKilled = stopped.outcome !== 'kill_failed' && refs.every((ref) => checkRef(ref) !== 'alive');
  return isKilled ? undefined : 'processes that have left their session could not be killed';
}

/** The probe says itself who escaped: what /proc shows is what is in question. */
async function readPids(logFile: string): Promise<number[]> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const text = await readFile(logFile, 'utf8');
    const pids = [...text.matchAll(/^pid (\d+)\n/gm)].map((it) => Number(it[1]));
    if (pids.length >= ESCAPEES || performance.now() > until) return pids;
    await setTimeout(POLL_MS);
  }
}

/** A process shows no environment for an instant while it executes a program, so one look does not settle it. */
async function findAll(launchId: string, pids: readonly number[]): Promise<number[]> {
  const until = performance.now() + FIND_LIMIT_MS;
  // On a busy machine one look may take longer than the limit.
  for (let looks = 1; ; looks += 1) {
    const found = new Set(membersOfLaunch(await scanProcesses(), launchId).map((it) => it.pid));
    const missing = pids.filter((pid) => !found.has(pid));
    if (missing.length === 0 || (looks >= LEAST_LOOKS && performance.now() > until)) return missing;
    await setTimeout(POLL_MS);
  }
}
