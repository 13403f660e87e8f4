import { EXIT, type ExitCode } from './exit-codes.js';

/** Why a command was not done: a sentence, what to do next, and the exit code that tells programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly next: string | undefined;

  constructor(
    message: string,
    { exitCode = EXIT.failed, next }: { exitCode?: ExitCode; next?: string } = {},
  ) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}
