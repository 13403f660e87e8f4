import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where output goes, and what may be done there. */
export interface Terminal {
  /** Columns; without a terminal nothing is cut. */
  readonly width: number;
  readonly height: number;
  readonly isTerminal: boolean;
  readonly paint: (style: Style, text: string) => string;
  print(...lines: string[]): void;
  /** As it is, without a line end. */
  write(text: string): void;
  printJson(value: unknown): void;
  complain(...lines: string[]): void;
  /** A question that is answered with yes. @throws where there is nobody to ask */
  confirm(question: string): Promise<boolean>;
}

export interface TerminalOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly wantsColour: boolean | undefined;
  readonly ask: (question: string) => Promise<string>;
}

const DEFAULT_WIDTH = 80;
const DEFAULT_HEIGHT = 24;

export function makeTerminal({ stdin, stdout, stderr, wantsColour, ask }: TerminalOptions): Terminal {
  const isTerminal = stdout.isTTY;
  const isColoured = wantsColour ?? isTerminal;
  return {
    get width() {
      return isTerminal ? stdout.columns || DEFAULT_WIDTH : Number.POSITIVE_INFINITY;
    },
    get height() {
      return isTerminal ? stdout.rows || DEFAULT_HEIGHT : DEFAULT_HEIGHT;
    },
    isTerminal,
    paint: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    print: (...lines) => void stdout.write(`${lines.join('\n')}\n`),
    write: (text) => void stdout.write(text),
    printJson: (value) => void stdout.write(`${toJson(value)}\n`),
    complain: (...lines) => void stderr.write(`${lines.join('\n')}\n`),
    async confirm(question) {
      if (!stdin.isTTY) throw new NobodyToAskError(question);
      return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
    },
  };
}

/** JSON leaves the upper control characters as they are, and to some terminals one of them begins an escape sequence. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export class NobodyToAskError extends Error {
  override readonly name = 'NobodyToAskError';
}
