import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { runStep } from '../run-step.mjs';
import { clearProgressLine, say, SetupError } from '../ui.mjs';
import { NEEDS } from './needs.mjs';
import { findPackageManager, installCommand } from './package-manager.mjs';

/**
 * Installs what the system lacks with its package manager: as root right away, saying so first; for others after a
 * question on a terminal, and without one by printing the command to type.
 * @throws SetupError when it may not, cannot, or was told no
 */
export async function installSystemPackages(names, { mayInstall }) {
  if (names.length === 0) return;
  const what = names.map((name) => NEEDS[name].title).join(', ');
  const manager = findPackageManager();
  if (!manager) {
    throw new SetupError(`Missing: ${what}. No package manager that we know (apt, dnf, apk, brew) is here.`, {
      next: `install ${what} by hand, then run the same command again`,
    });
  }
  const packages = [...new Set(names.flatMap((name) => NEEDS[name].packages[manager.name]))];
  const isRoot = process.getuid() === 0;
  const command = installCommand(manager, packages, { isRoot });
  if (!mayInstall)
    throw new SetupError(`Missing: ${what}; --no-install forbids installing it.`, { next: command });
  if (manager.asRoot && !isRoot) return installAsAnother({ what, command });
  await installNow({ what, manager, packages, command });
}

async function installNow({ what, manager, packages, command }) {
  say(
    `• System: lacks ${what}. Installing with ${manager.name}, as we are ${process.getuid() === 0 ? 'root' : 'allowed to'}:`,
  );
  say(`    ${command}`);
  const env = { ...process.env, ...manager.env };
  const next = `type it yourself and see what it says: ${command}`;
  if (manager.refresh) {
    await runStep({
      title: 'System',
      doing: 'refreshing the package lists',
      command: manager.program,
      args: manager.refresh,
      env,
      log: 'system-refresh',
      next,
    });
  }
  const { seconds } = await runStep({
    title: 'System',
    doing: `installing ${packages.join(' ')}`,
    command: manager.program,
    args: [...manager.install, ...packages],
    env,
    log: 'system-install',
    next,
  });
  say(`✓ System: installed (${seconds} s)`);
}

async function installAsAnother({ what, command }) {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new SetupError(`Missing: ${what}. Installing it takes root, and there is no terminal to ask on.`, {
      next: command,
    });
  }
  say(`• System: lacks ${what}. This installs it:\n    ${command}`);
  if (!(await agrees())) throw new SetupError(`Missing: ${what}.`, { next: command });
  clearProgressLine();
  // In the foreground: sudo asks for the password on this very terminal.
  const { status } = spawnSync('/bin/sh', ['-c', command], { stdio: 'inherit' });
  if (status !== 0) throw new SetupError(`Installing ${what} failed.`, { next: command });
  say('✓ System: installed');
}

async function agrees() {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await reader.question('  Install it now? [Y/n] ');
    return /^(y(es)?)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
