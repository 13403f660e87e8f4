import { join } from 'node:path';
import { modifiedAt, sources } from './build.mjs';
import { ROOT } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { say } from './ui.mjs';

const WEB = join(ROOT, 'services/web');

/** The call screen and the console, bundled by Vite into services/web/dist/page; nothing to do when nothing has changed. */
export async function buildPage() {
  if (isPageBuilt()) return;
  const { seconds } = await runStep({
    title: 'Web page',
    doing: 'bundling with Vite',
    command: process.execPath,
    args: [join(WEB, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'],
    cwd: WEB,
    log: 'build-page',
    next: 'mend what Vite names above',
  });
  say(`✓ Web page: built (${seconds} s)`);
}

/** Vite writes the documents at last. What it is made of: the page, what it shares with us, and the versions of its libraries. */
function isPageBuilt() {
  const built = modifiedAt(join(WEB, 'dist/page/index.html'));
  const files = [
    ...sources(join(WEB, 'page')),
    ...sources(join(ROOT, 'packages/contracts/src')),
    join(WEB, 'vite.config.ts'),
    join(ROOT, 'pnpm-lock.yaml'),
  ];
  return files.every((file) => modifiedAt(file) <= built);
}
