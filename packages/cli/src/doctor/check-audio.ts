import { existsSync } from 'node:fs';
import { failure, type Finding, ok, warning } from './finding.js';
import { findProgram } from './find-program.js';

const MODELS = [
  '/usr/share/pocketsphinx/model/en-us',
  '/usr/local/share/pocketsphinx/model/en-us',
  '/home/linuxbrew/.linuxbrew/share/pocketsphinx/model/en-us',
];

const INSTALL: readonly (readonly [string, string])[] = [
  ['apt-get', 'sudo apt-get install -y flite espeak-ng pocketsphinx pocketsphinx-en-us'],
  ['dnf', 'sudo dnf install -y flite espeak-ng pocketsphinx pocketsphinx-models'],
  ['apk', 'sudo apk add flite espeak-ng pocketsphinx'],
  ['brew', 'brew install flite espeak-ng cmu-pocketsphinx'],
];

/** The programs with which the reference agent speaks and listens, and `greenroom call` speaks. */
export function checkAudio(
  path: string,
  runsReferenceAgent: boolean,
  models: readonly string[] = MODELS,
): Finding[] {
  const voice = findProgram('flite', path) ?? findProgram('espeak-ng', path);
  const ear = findProgram('pocketsphinx_continuous', path) ?? findProgram('pocketsphinx', path);
  const hasModel = models.some((folder) => existsSync(folder));
  const fix = installCommand(path);
  const missing = runsReferenceAgent ? failure : warning;
  const forWhom = runsReferenceAgent ? 'the reference agent' : 'greenroom call';
  const speaks =
    voice === undefined
      ? missing('audio.speech', `Neither flite nor espeak-ng is here: ${forWhom} cannot speak.`, fix)
      : ok('audio.speech', `${voice} can speak.`);
  if (!runsReferenceAgent) return [speaks];
  const listens =
    ear === undefined || !hasModel
      ? failure(
          'audio.recognition',
          `${ear === undefined ? 'pocketsphinx' : 'The English model of pocketsphinx'} is not here: the reference agent cannot understand anybody.`,
          fix,
        )
      : ok('audio.recognition', `${ear} can listen.`);
  return [speaks, listens];
}

function installCommand(path: string): string {
  return (
    INSTALL.find(([manager]) => findProgram(manager, path) !== undefined)?.[1] ??
    'Install flite and pocketsphinx with its English model, so that they are on PATH.'
  );
}
