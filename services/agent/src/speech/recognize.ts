import { closeAnonymousFile, openAnonymousFile } from './anonymous-file.js';
import {
  type Hypothesis,
  RECOGNIZER_TUNING,
  readHypothesis,
  renderDictionary,
  renderGrammar,
} from './grammar.js';
import type { Recognizer } from './programs.js';
import { runProgram } from './run-program.js';

/** What the acoustic model was trained on. */
export const RECOGNITION_RATE = 16_000;

/** Understands a fixed set of phrases, one short-lived process an utterance. */
export class PhraseRecognizer {
  readonly #recognizer: Recognizer;
  readonly #grammar: number;
  readonly #dictionary: number;

  constructor(recognizer: Recognizer, phrases: readonly string[]) {
    this.#recognizer = recognizer;
    this.#grammar = openAnonymousFile(renderGrammar(phrases));
    this.#dictionary = openAnonymousFile(renderDictionary(phrases));
  }

  /** @param samples mono, at {@link RECOGNITION_RATE}. @throws when the program fails or `signal` aborts. */
  async recognize(samples: Int16Array, signal?: AbortSignal): Promise<Hypothesis> {
    const sound = openAnonymousFile(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    try {
      const output = await runProgram({
        command: this.#recognizer.path,
        args: this.#arguments(),
        stdin: sound,
        files: [this.#grammar, this.#dictionary],
        ...(signal && { signal }),
      });
      return readHypothesis(this.#recognizer.kind === 'pocketsphinx' ? textOfJson(output) : output);
    } finally {
      closeAnonymousFile(sound);
    }
  }

  close(): void {
    closeAnonymousFile(this.#grammar);
    closeAnonymousFile(this.#dictionary);
  }

  #arguments(): string[] {
    const model = [
      '-hmm',
      this.#recognizer.model,
      '-jsgf',
      '/dev/fd/3',
      '-dict',
      '/dev/fd/4',
      ...RECOGNIZER_TUNING,
    ];
    switch (this.#recognizer.kind) {
      case 'pocketsphinx_continuous':
        return ['-infile', '/dev/stdin', '-logfn', '/dev/null', ...model];
      case 'pocketsphinx':
        return [...model, 'single', '-'];
    }
  }
}

/** pocketsphinx 5 prints one object a line, with the text in `t`. */
function textOfJson(output: string): string {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { t?: unknown }).t)
    .filter((text) => typeof text === 'string')
    .join(' ');
}
