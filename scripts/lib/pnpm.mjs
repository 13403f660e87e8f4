import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, isProgram } from './find-program.mjs';
import { TOOLS_DIR } from './paths.mjs';
import { ask, runStep } from './run-step.mjs';
import { SetupError } from './ui.mjs';

// A program of its own that needs no newer Node than ours; 11 does (it imports node:sqlite).
export const PNPM_VERSION = '12.21.0';

const PNPM = join(TOOLS_DIR, 'node_modules/.bin/pnpm');

/** The pinned pnpm under .greenroom/tools, installed there with the npm that came with Node. */
export async function ensurePnpm() {
  if (isProgram(PNPM) && (await versionOf(PNPM)) === PNPM_VERSION) return PNPM;
  const npm = findProgram('npm');
  if (!npm) {
    throw new SetupError('npm is not on PATH, and pnpm is installed with it.', {
      next: 'install npm (it comes with Node; on Debian: apt-get install npm)',
    });
  }
  mkdirSync(TOOLS_DIR, { recursive: true });
  // A package.json of its own keeps npm from taking the repository's.
  writeFileSync(join(TOOLS_DIR, 'package.json'), '{ "private": true }\n');
  await runStep({
    title: 'pnpm',
    doing: `installing pnpm ${PNPM_VERSION} into .greenroom/tools with npm`,
    command: npm,
    args: [
      'install',
      '--prefix',
      TOOLS_DIR,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--save-exact',
      `pnpm@${PNPM_VERSION}`,
    ],
    cwd: TOOLS_DIR,
    log: 'pnpm',
    next: 'check that npm reaches its registry (proxy, certificates), then run the same command again',
  });
  if ((await versionOf(PNPM)) !== PNPM_VERSION) {
    throw new SetupError(
      `pnpm ${PNPM_VERSION} was installed but does not run on this ${process.platform}-${process.arch}.`,
      {
        next: `see what this prints: ${PNPM} --version`,
      },
    );
  }
  return PNPM;
}

async function versionOf(pnpm) {
  const { code, output } = await ask(pnpm, ['--version']);
  return code === 0 ? output.trim().split('\n').at(-1) : undefined;
}
