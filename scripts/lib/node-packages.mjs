import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME_DIR, ROOT } from './paths.mjs';
import { ensurePnpm } from './pnpm.mjs';
import { runStep } from './run-step.mjs';
import { say } from './ui.mjs';

const STAMP = join(HOME_DIR, 'packages.stamp');

/** Installs exactly what the lockfile says; nothing to do when that has not changed since the last time. */
export async function installNodePackages() {
  const wanted = fingerprint();
  if (isInstalled(wanted)) {
    say('✓ Packages: unchanged');
    return;
  }
  const pnpm = await ensurePnpm();
  const { seconds } = await runStep({
    title: 'Packages',
    doing: 'installing with pnpm, as pnpm-lock.yaml says',
    command: pnpm,
    args: ['install', '--frozen-lockfile', '--reporter=append-only'],
    // CI: pnpm may then replace a node_modules that another version laid, without a question nobody answers.
    env: { ...process.env, CI: 'true' },
    log: 'packages',
    next: 'check that pnpm reaches its registry and that pnpm-lock.yaml is committed, then run the same command again',
  });
  mkdirSync(HOME_DIR, { recursive: true });
  writeFileSync(STAMP, wanted);
  say(`✓ Packages: installed (${seconds} s)`);
}

export function packagesAreInstalled() {
  return isInstalled(fingerprint());
}

function isInstalled(wanted) {
  if (!existsSync(join(ROOT, 'node_modules/.modules.yaml')) || !existsSync(STAMP)) return false;
  return readFileSync(STAMP, 'utf8') === wanted;
}

/** Of all that decides what gets installed; the machine too, since some packages are programs. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

function manifests() {
  const folders = ['packages', 'services'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  );
  return ['.', 'tests', ...folders]
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(join(ROOT, file)));
}
