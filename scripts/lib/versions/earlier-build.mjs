import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../paths.mjs';
import { ensurePnpm } from '../pnpm.mjs';
import { runStep } from '../run-step.mjs';
import { SetupError } from '../ui.mjs';

const run = promisify(execFile);

/** Version N-1: what ran before issue 5's pools, waiting line and many hosts. Raised with each release. */
export const EARLIER_COMMIT = 'df3d19b38aa8c4bac5b1496df4682aac442a18df';

/** The version after it that watches calls already: what ran before the command ids of a phone call named a life of its data. */
export const EARLIER_WITH_CALLS = '5313c9b10db125d4dad4923c56df1b27eed9b926';

/** @returns the commit in full, or undefined where the history does not reach back to it */
export async function findCommit(ref) {
  try {
    return (
      await run('git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { cwd: ROOT })
    ).stdout.trim();
  } catch {
    return undefined;
  }
}

/** Checks an earlier commit out into a folder of its own, with the packages of its own lockfile, and builds it. */
export async function buildEarlier(commit) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'greenroom-earlier-')));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    await unpack(commit, folder);
    await install(folder);
    await compile(folder);
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function unpack(commit, folder) {
  const archive = join(folder, 'earlier.tar');
  mkdirSync(folder, { recursive: true });
  try {
    await run('git', ['archive', '--format=tar', `--output=${archive}`, commit], { cwd: ROOT });
    await run('tar', ['-xf', archive, '-C', folder]);
  } catch (error) {
    throw new SetupError(`The earlier version could not be checked out: ${error.message}`, {
      next: 'see that git and tar are there, and that the disk is not full',
    });
  }
  rmSync(archive);
}

async function install(folder) {
  await runStep({
    title: 'Earlier packages',
    doing: 'installing what the earlier pnpm-lock.yaml says, from what was downloaded before where it can be',
    command: await ensurePnpm(),
    args: ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'],
    cwd: folder,
    env: { ...process.env, CI: 'true' },
    log: 'earlier-packages',
    next: 'check that pnpm reaches its registry, then run the same command again',
  });
}

async function compile(folder) {
  await runStep({
    title: 'Earlier build',
    doing: 'compiling it with its own compiler',
    command: process.execPath,
    args: [
      join(folder, 'node_modules/typescript/bin/tsc'),
      '-b',
      'services/api',
      'services/spawner',
      'services/agent',
    ],
    cwd: folder,
    log: 'earlier-build',
    next: 'see that this commit builds by itself',
  });
}
