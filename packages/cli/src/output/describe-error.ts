import { CommanderError } from 'commander';
import { ApiError } from '../api/api-error.js';
import { CliError } from '../cli-error.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { clean } from './clean.js';
import { NobodyToAskError, type Terminal } from './terminal.js';

/** An error as people and programs are told of it. */
export interface Failure {
  readonly exitCode: ExitCode;
  /** A code of docs/errors.md, `unreachable`, or `usage`, `failed`. */
  readonly code: string;
  readonly message: string;
  readonly next: string | undefined;
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ApiError) {
    const { exitCode, code, message, next } = error;
    return { exitCode, code, message, next };
  }
  if (error instanceof CliError) {
    const { exitCode, message, next } = error;
    return { exitCode, code: CODES[exitCode] ?? 'failed', message, next };
  }
  if (error instanceof NobodyToAskError) {
    const message = `${error.message} There is no terminal to ask on.`;
    return { exitCode: EXIT.usage, code: 'usage', message, next: 'Say --yes if that is what you want.' };
  }
  if (error instanceof CommanderError) {
    const exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return { exitCode, code: 'usage', message: error.message, next: undefined };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: EXIT.failed, code: 'failed', message, next: undefined };
}

const CODES: Partial<Record<ExitCode, string>> = {
  [EXIT.usage]: 'usage',
  [EXIT.refused]: 'refused',
  [EXIT.notFound]: 'not_found',
  [EXIT.unauthorized]: 'unauthorized',
};

export function printFailure(terminal: Terminal, failure: Failure, asJson: boolean): void {
  const { code, message, next } = failure;
  if (asJson) {
    terminal.complain(JSON.stringify({ error: { code, message, next: next ?? null } }));
    return;
  }
  terminal.complain(
    `${terminal.paint('red', '✗')} ${clean(message)}${code === 'failed' || code === 'usage' ? '' : ` (${code})`}`,
    ...(next === undefined ? [] : [`  ${clean(next)}`]),
  );
}
