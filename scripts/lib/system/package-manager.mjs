import { findProgram } from '../find-program.mjs';
import { ask } from '../run-step.mjs';

const NONINTERACTIVE = { DEBIAN_FRONTEND: 'noninteractive' };

/** In the order in which they are looked for. `asRoot`: whether installing takes root. */
const MANAGERS = [
  {
    name: 'apt',
    program: 'apt-get',
    asRoot: true,
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends'],
    env: NONINTERACTIVE,
    versionOnOffer: (name) => firstMatch('apt-cache', ['policy', name], /Candidate:\s*(?:\d+:)?(\d+)/),
  },
  {
    name: 'dnf',
    program: 'dnf',
    asRoot: true,
    install: ['install', '-y'],
    versionOnOffer: (name) => firstMatch('dnf', ['-q', 'info', name], /^Version\s*:\s*(\d+)/m),
  },
  {
    name: 'apk',
    program: 'apk',
    asRoot: true,
    install: ['add', '--no-progress', '--update-cache'],
    versionOnOffer: (name) => firstMatch('apk', ['policy', name], /^\s+(\d+)\./m),
  },
  // Homebrew refuses to run as root.
  {
    name: 'brew',
    program: 'brew',
    asRoot: false,
    install: ['install'],
    versionOnOffer: async () => undefined,
  },
];

/** The system's package manager, or undefined. */
export function findPackageManager(env = process.env) {
  const found = MANAGERS.find(({ program }) => findProgram(program, env));
  return found && { env: {}, ...found };
}

/** What a person would type, in one line. */
export function installCommand(manager, packages, { isRoot }) {
  const sudo = manager.asRoot && !isRoot ? 'sudo ' : '';
  const refresh = manager.refresh ? `${sudo}${manager.program} ${manager.refresh.join(' ')} && ` : '';
  return `${refresh}${sudo}${manager.program} ${manager.install.join(' ')} ${packages.join(' ')}`;
}

async function firstMatch(command, args, pattern) {
  const { output } = await ask(command, args);
  const match = pattern.exec(output);
  return match ? Number(match[1]) : undefined;
}
