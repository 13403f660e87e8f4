import { chmodSync, cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { HOME_DIR, ROOT } from '../paths.mjs';

/** What is no part of the checkout: its history, and packages and programs that a copy can share. */
const SHARED = new Set(['.git', 'node_modules', '.greenroom']);

/**
 * A copy of this checkout to break: however a run ends, no mutated line is left in the original. The links between our own
 * packages are relative, so they lead to the copy's; packages from the registry are those of the original.
 */
export function copyCheckout() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'greenroom-mutants-')));
  // Some tests run it as another user.
  chmodSync(root, 0o755);
  cpSync(ROOT, root, {
    recursive: true,
    // As they are, relative; and with their times, so that the compiler sees that nothing has changed.
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: (source) => !SHARED.has(relative(ROOT, source)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  shareHome(root);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Programs that were downloaded, and what the compiler knows already. */
function shareHome(root) {
  for (const part of ['bin', 'build', 'jest-cache']) {
    const from = join(HOME_DIR, part);
    if (!existsSync(from)) continue;
    cpSync(from, join(root, '.greenroom', part), { recursive: true, preserveTimestamps: true });
  }
}
