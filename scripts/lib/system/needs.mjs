import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../find-program.mjs';

/**
 * What the system may lack: how it is recognised, and its packages by package manager.
 * The reference agent speaks with flite (or espeak-ng) and listens with pocketsphinx.
 */
export const NEEDS = {
  redis: {
    title: 'Redis 7 or newer',
    packages: { apt: ['redis-server'], dnf: ['redis'], apk: ['redis'], brew: ['redis'] },
  },
  speech: {
    title: 'speech tools for the reference agent',
    isThere: hasSpeechTools,
    packages: {
      apt: ['flite', 'espeak-ng', 'pocketsphinx', 'pocketsphinx-en-us'],
      dnf: ['flite', 'espeak-ng', 'pocketsphinx', 'pocketsphinx-models'],
      apk: ['flite', 'espeak-ng', 'pocketsphinx'],
      brew: ['flite', 'espeak-ng', 'cmu-pocketsphinx'],
    },
  },
  faketime: {
    title: 'libfaketime, which the fault tests set clocks with',
    isThere: hasFaketime,
    packages: { apt: ['libfaketime'], dnf: ['libfaketime'], apk: ['libfaketime'], brew: ['libfaketime'] },
  },
  chromium: {
    title: 'Chromium, which the tests open the pages in',
    isThere: () => findProgram('chromium') !== undefined,
    packages: { apt: ['chromium'], dnf: ['chromium'], apk: ['chromium'], brew: ['chromium'] },
  },
  haproxy: {
    title: 'HAProxy, which the rolling restarts are tested behind',
    isThere: () => findProgram('haproxy') !== undefined,
    packages: { apt: ['haproxy'], dnf: ['haproxy'], apk: ['haproxy'], brew: ['haproxy'] },
  },
  curl: {
    title: 'curl, which the test scripts use',
    isThere: () => findProgram('curl') !== undefined,
    packages: { apt: ['curl'], dnf: ['curl'], apk: ['curl'], brew: ['curl'] },
  },
};

/** Debian has a folder for each architecture. */
function hasFaketime() {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((folder) => existsSync(folder));
  const below = folders.flatMap((folder) => [
    folder,
    ...readdirSync(folder).map((name) => join(folder, name)),
  ]);
  return below.some((folder) => existsSync(join(folder, 'faketime/libfaketime.so.1')));
}

const MODEL_FOLDERS = [
  '/usr/share/pocketsphinx/model/en-us',
  '/usr/local/share/pocketsphinx/model/en-us',
  '/home/linuxbrew/.linuxbrew/share/pocketsphinx/model/en-us',
];

function hasSpeechTools() {
  const speaks = findProgram('flite') ?? findProgram('espeak-ng');
  const listens = findProgram('pocketsphinx_continuous') ?? findProgram('pocketsphinx');
  return Boolean(speaks && listens && MODEL_FOLDERS.some((folder) => existsSync(folder)));
}
