import { existsSync } from 'node:fs';
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
  curl: {
    title: 'curl, which the test scripts use',
    isThere: () => findProgram('curl') !== undefined,
    packages: { apt: ['curl'], dnf: ['curl'], apk: ['curl'], brew: ['curl'] },
  },
};

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
