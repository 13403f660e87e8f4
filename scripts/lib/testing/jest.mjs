import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../paths.mjs';
import { sendSignal } from '../proc.mjs';
import { say, SetupError } from '../ui.mjs';
import { addCounts, countResults } from './counts.mjs';
import { endLeftOver, listZombies } from './left-over.mjs';

/** Once the results are written, jest has only to leave; one that stays has something open. */
const EXIT_GRACE_MS = 30_000;

let jest;
let isStopped = false;

/** These break things, each in a deployment of its own. */
const FAULTS = 'tests/faults/';
/**
 * These promise times to the user, are a load by themselves or speak and listen in real time, so nothing else may use the
 * machine while they run.
 */
export const ALONE = [
  'tests/alone/',
  'tests/faults/burst.test.ts',
  'tests/faults/chaos.test.ts',
  'tests/faults/limits.test.ts',
  'tests/faults/spawner-with-calls.test.ts',
  'tests/pool-policy.test.ts',
  'tests/web/',
];
/** The same of those that leave most of the machine idle: two of them at once, and nothing heavier. */
export const IN_PAIRS = [
  'tests/alone/call.test.ts',
  'tests/alone/dead-air.test.ts',
  'services/agent/src/agent.test.ts',
  'services/agent/src/agent-parts.test.ts',
  'services/api/src/calls/due-watcher.test.ts',
  'services/api/src/calls/telnyx/telnyx-client.test.ts',
  'services/api/src/http/redis-outage.test.ts',
  'tests/faults/redis.test.ts',
  'tests/restart.test.ts',
];
/** Faults that take their time: `npm run test:faults` only. */
const SLOW = 'tests/faults/slow/';
/** Beside the build of an earlier version: `npm run test:versions` only. */
const VERSIONS = 'tests/versions/';
const ONE_BY_ONE = '--maxWorkers=1';
/** Most tests wait more than they work: two at once leave a third of two cores idle. Each has servers of its own, so not too many. */
const ONE_MORE_THAN_CORES = `--maxWorkers=${Math.min(availableParallelism(), 4) + 1}`;

/** Runs jest, lets it print as it likes, and gives `{passed, failed, skipped}`. */
export async function runJest(tools, args) {
  if (args.length > 0) return countOf(await runOnce(tools, args));
  const others = ignoring(...ALONE, ...IN_PAIRS, FAULTS, VERSIONS);
  const together = await runOnce(tools, [...others, ONE_MORE_THAN_CORES]);
  const shortFaults = [FAULTS, ...ignoring(...ALONE, ...IN_PAIRS, SLOW)];
  const faults = await runOnce(tools, [...shortFaults, ONE_MORE_THAN_CORES]);
  const inPairs = await runOnce(tools, IN_PAIRS);
  const alone = await runOnce(tools, [...ALONE, ...ignoring(...IN_PAIRS), ONE_BY_ONE]);
  return [together, faults, inPairs, alone].map(countOf).reduce(addCounts);
}

/** The whole fault suite, the slow ones too, one file at a time. */
export async function runFaults(tools) {
  return countOf(await runOnce(tools, [FAULTS, ONE_BY_ONE]));
}

/**
 * One run of jest.
 * @param root the checkout to run in: ours, or a copy
 * @param output what becomes of its report: 'inherit', or a file descriptor
 * @param limitMs jest is killed when it takes longer
 * @throws SetupError once `stopJest` was called
 * @returns `{results, exitCode, left}`: jest's own JSON (undefined when it wrote none), and how much was left behind
 */
export async function runOnce(tools, args, { root = ROOT, output = 'inherit', limitMs } = {}) {
  if (isStopped) throw new SetupError('Tests: stopped before the end.');
  // A folder of this run's own: whatever is left running afterwards carries its name in TMPDIR.
  const folder = mkdtempSync(join(tmpdir(), 'greenroom-tests-'));
  const zombies = listZombies();
  const limit = limitMs && setTimeout(() => sendSignal(jest.pid, 'SIGKILL'), limitMs);
  try {
    const resultFile = join(folder, 'results.json');
    const exitCode = await runToEnd({ tools, args, folder, resultFile, root, output });
    return { results: readResults(resultFile), exitCode, left: await endLeftOver(folder, zombies) };
  } finally {
    clearTimeout(limit);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends the run that is under way; none begins any more. */
export function stopJest() {
  isStopped = true;
  if (jest) sendSignal(jest.pid, 'SIGTERM');
}

function countOf({ results, exitCode, left }) {
  const counts = countResults(results, exitCode);
  return { ...counts, failed: counts.failed + (left > 0 ? 1 : 0) };
}

function ignoring(...paths) {
  return ['/node_modules/', ...paths].map((path) => `--testPathIgnorePatterns=${path}`);
}

/**
 * The tests beside the builds of earlier versions.
 * @param folders of the version before, and of the one that watches calls already
 */
export async function runVersions(tools, { earlier, withCalls }) {
  process.env.GREENROOM_EARLIER_BUILD = earlier;
  process.env.GREENROOM_EARLIER_CALLS_BUILD = withCalls;
  return countOf(await runOnce(tools, [VERSIONS, ONE_BY_ONE]));
}

async function runToEnd({ tools, args, folder, resultFile, root, output }) {
  if (output === 'inherit') say('• Tests: jest');
  jest = spawn(
    process.execPath,
    [join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${resultFile}`, ...args],
    {
      cwd: root,
      // Its report goes to stderr; with --outputFile nothing of use is left for stdout.
      stdio: ['ignore', output, output],
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

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
