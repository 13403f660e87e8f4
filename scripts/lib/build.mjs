import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { say } from './ui.mjs';

/** What runs; the tests are another project. */
export const RUNTIME_PROJECTS = [
  'packages/cli',
  'services/api',
  'services/spawner',
  'services/agent',
  'services/web',
];

/** Incremental: a second or so when nothing has changed. Without projects: everything, tests included. */
export async function build(projects = []) {
  const known = projects.filter((project) => existsSync(join(ROOT, project, 'tsconfig.json')));
  const { seconds } = await runStep({
    title: 'Build',
    doing: 'compiling what has changed with tsc -b',
    command: process.execPath,
    args: [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', ...known],
    log: 'build',
    next: 'mend what the compiler names above',
  });
  say(`✓ Build: done (${seconds} s)`);
}

/** Whether what was compiled is newer than all of its sources, without asking the compiler. */
export function isBuilt(project) {
  const stamp = modifiedAt(join(ROOT, project, 'dist/.tsbuildinfo'));
  return stamp > 0 && sources(join(ROOT, project, 'src')).every((file) => modifiedAt(file) <= stamp);
}

export function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export function modifiedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
