import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The speech programs of this machine, by absolute path; undefined where one is not installed. */
export interface SpeechPrograms {
  readonly flite: string | undefined;
  readonly espeak: string | undefined;
  readonly recognizer: Recognizer | undefined;
}

/** pocketsphinx 5 answers in JSON and is told `single -`; what Debian 12 packages is older and prints plain text. */
export interface Recognizer {
  readonly path: string;
  readonly kind: 'pocketsphinx_continuous' | 'pocketsphinx';
  /** Directory of the acoustic model. */
  readonly model: string;
}

const MODELS = [
  '/usr/share/pocketsphinx/model/en-us/en-us',
  '/usr/local/share/pocketsphinx/model/en-us/en-us',
];

/** @param path the PATH to look along. */
export function findSpeechPrograms(path: string): SpeechPrograms {
  return {
    flite: findProgram('flite', path),
    espeak: findProgram('espeak-ng', path) ?? findProgram('espeak', path),
    recognizer: findRecognizer(path),
  };
}

function findRecognizer(path: string): Recognizer | undefined {
  const model = MODELS.find((directory) => isReadable(join(directory, 'mdef')));
  if (model === undefined) return undefined;
  for (const kind of ['pocketsphinx_continuous', 'pocketsphinx'] as const) {
    const program = findProgram(kind, path);
    if (program !== undefined) return { path: program, kind, model };
  }
  return undefined;
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((file) => isReadable(file, constants.X_OK));
}

function isReadable(file: string, mode = constants.R_OK): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
