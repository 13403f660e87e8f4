import { closeAnonymousFile, openAnonymousFile, readAnonymousFile } from './anonymous-file.js';
import { runProgram } from './run-program.js';
import type { EngineVoice } from './voices.js';
import { type Pcm, parseWav } from './wav.js';

/** Words a minute; espeak's own 175 is hurried. */
const ESPEAK_SPEED = '160';

/**
 * Speaks a text. It goes through nameless files, so neither `ps` nor a disk ever sees it.
 * @throws when the program fails or `signal` aborts.
 */
export async function synthesize(text: string, voice: EngineVoice, signal?: AbortSignal): Promise<Pcm> {
  const input = openAnonymousFile(text);
  const output = openAnonymousFile();
  try {
    await runProgram({
      command: voice.path,
      args: argumentsFor(voice),
      stdin: input,
      files: [output],
      ...(signal && { signal }),
    });
    return parseWav(readAnonymousFile(output));
  } finally {
    closeAnonymousFile(input);
    closeAnonymousFile(output);
  }
}

function argumentsFor({ engine, voice }: EngineVoice): string[] {
  switch (engine) {
    case 'flite':
      return ['-voice', voice, '-f', '/dev/stdin', '-o', '/dev/fd/3'];
    case 'espeak':
      return ['-v', voice, '-s', ESPEAK_SPEED, '--stdin', '-w', '/dev/fd/3'];
  }
}
