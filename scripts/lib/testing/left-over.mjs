import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  commandLineOf,
  environmentOf,
  listPids,
  pidsWithEnvironment,
  readProcess,
  sendSignal,
} from '../proc.mjs';
import { say } from '../ui.mjs';

/** Helpers that wait for the end of jest itself need a moment after it, and an init one to reap. */
const GRACE_MS = 3_000;
const LOOK_MS = 100;

/**
 * Tests end what they start. What is left running is named and killed, and a zombie that nobody reaps is named.
 * @param folder what the environment of everything that the tests started names
 * @param zombiesBefore those that were here already
 * @returns how many were left
 */
export async function endLeftOver(folder, zombiesBefore) {
  return (await endLeftProcesses(folder)) + (await countLeftZombies(zombiesBefore));
}

/** Dead children that our own parent or init has still to reap, as `pid:startTime`. */
export function listZombies() {
  const zombies = listPids()
    .map(readProcess)
    .filter((it) => it?.state === 'Z' && (it.ppid === 1 || it.ppid === process.pid));
  return new Set(zombies.map((it) => `${it.pid}:${it.startTime}`));
}

async function endLeftProcesses(folder) {
  const isOurs = (entry) => entry.includes(folder);
  const left = await whatStays(() => pidsWithEnvironment(isOurs));
  for (const pid of left) {
    say(`✗ Tests: left running: ${pid} ${commandLineOf(pid).slice(0, 150)}`);
    // It may have ended meanwhile, and the number be another's.
    if (environmentOf(pid).some(isOurs)) sendSignal(pid, 'SIGKILL');
  }
  return left.length;
}

async function countLeftZombies(before) {
  const left = await whatStays(() => [...listZombies()].filter((it) => !before.has(it)));
  if (left.length === 0) return 0;
  if (!(await initReaps())) {
    say(
      `• Tests: ${left.length} zombies; the init of this machine reaps nobody, so they say nothing of ours.`,
    );
    return 0;
  }
  say(`✗ Tests: zombies left: ${left.join(' ')}`);
  return left.length;
}

/** What is found at every look until the grace is over; something new each time is somebody else's coming and going. */
async function whatStays(look) {
  let staying = look();
  for (let waitedMs = 0; staying.length > 0 && waitedMs < GRACE_MS; waitedMs += LOOK_MS) {
    await sleep(LOOK_MS);
    const now = new Set(look());
    staying = staying.filter((it) => now.has(it));
  }
  return staying;
}

/** Whether an orphan that ends goes away: a container whose first process is no init keeps it for ever. */
async function initReaps() {
  const shell = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  await new Promise((resolve) => shell.once('close', resolve));
  await sleep(GRACE_MS);
  return readProcess(Number(output.trim())) === undefined;
}
