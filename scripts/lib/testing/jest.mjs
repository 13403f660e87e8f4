import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../paths.mjs';
import { commandLineOf, pidsWithEnvironment, sendSignal } from '../proc.mjs';
import { say } from '../ui.mjs';
import { addCounts, countResults } from './counts.mjs';

/** Once the results are written, jest has only to leave; one that stays has something open. */
const EXIT_GRACE_MS = 30_000;

let jest;

/** These promise times to the user, so nothing else may use the machine while they run. */
const ALONE = 'tests/alone/';

/** Runs jest, lets it print as it likes, and gives `{passed, failed, skipped}`. */
export async function runJest(tools, args) {
  if (args.length > 0) return runOnce(tools, args);
  const together = await runOnce(tools, [
    `--testPathIgnorePatterns=${ALONE}`,
    '--testPathIgnorePatterns=/node_modules/',
  ]);
  return addCounts(together, await runOnce(tools, [ALONE, '--maxWorkers=1']));
}

async function runOnce(tools, args) {
  // A folder of this run's own: whatever is left running afterwards carries its name in TMPDIR.
  const folder = mkdtempSync(join(tmpdir(), 'greenroom-tests-'));
  try {
    const resultFile = join(folder, 'results.json');
    const exitCode = await runToEnd(tools, args, folder, resultFile);
    const counts = countResults(readResults(resultFile), exitCode);
    const left = await endLeftProcesses(folder);
    return { ...counts, failed: counts.failed + (left > 0 ? 1 : 0) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function stopJest() {
  if (jest) sendSignal(jest.pid, 'SIGTERM');
}

async function runToEnd(tools, args, folder, resultFile) {
  say('• Tests: jest');
  jest = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${resultFile}`, ...args],
    {
      cwd: ROOT,
      // Its report goes to stderr; with --outputFile nothing of use is left for stdout.
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        NODE_OPTIONS:
          `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
        GREENROOM_REDIS_SERVER: tools.redis.program,
        GREENROOM_LIVEKIT_SERVER: tools.livekit.program,
        TMPDIR: folder,
      },
    },
  );
  const exited = new Promise((resolve) => jest.once('close', (code) => resolve(code ?? 1)));
  return giveUpWhenItStays(resultFile, exited);
}

async function giveUpWhenItStays(resultFile, exited) {
  await untilWritten(resultFile, exited);
  const outcome = await Promise.race([exited, sleep(EXIT_GRACE_MS, 'stays')]);
  if (outcome !== 'stays') return outcome;
  say(
    `✗ Tests: jest has its results but does not end after ${EXIT_GRACE_MS / 1_000} s: a test left something open.`,
  );
  sendSignal(jest.pid, 'SIGKILL');
  await exited;
  return 1;
}

async function untilWritten(file, exited) {
  let outcome = 'missing';
  while (outcome === 'missing' && !existsSync(file))
    outcome = await Promise.race([exited, sleep(500, 'missing')]);
}

/** Tests end what they start. A process that is left is a failure of its own, and is killed. */
async function endLeftProcesses(folder) {
  const isOurs = (entry) => entry.includes(folder);
  // Helpers that wait for the end of jest itself need a moment after it.
  for (let attempt = 0; attempt < 30 && pidsWithEnvironment(isOurs).length > 0; attempt += 1)
    await sleep(100);
  const left = pidsWithEnvironment(isOurs);
  for (const pid of left) {
    say(`✗ Tests: left running: ${pid} ${commandLineOf(pid).slice(0, 150)}`);
    sendSignal(pid, 'SIGKILL');
  }
  return left.length;
}

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
