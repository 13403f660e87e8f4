import { Option, type Command } from 'commander';
import { AdminApi } from './api/admin-api.js';
import { HttpClient } from './api/http-client.js';
import { CliError } from './cli-error.js';
import type { CliEnvironment } from './environment.js';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './output/terminal.js';

/** What every command gets: assembled in main.ts, stood in for in tests. */
export interface CommandContext {
  readonly environment: CliEnvironment;
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly interrupted: AbortSignal;
  /** Of this command, as its package says. */
  readonly version: string;
  /** The exit code of a command that ran to its end without having done all that it should. */
  readonly setExitCode: (code: number) => void;
}

export interface CommonFlags {
  readonly apiUrl: string;
  readonly json?: true;
}

/** Options that every command which asks the api takes. */
export function withCommonOptions(command: Command, { environment }: CommandContext): Command {
  return command
    .addOption(new Option('--api-url <url>', 'where Greenroom is (or API_URL)').default(environment.apiUrl))
    .option('--json', 'for programs: JSON instead of text');
}

/** @throws CliError for what is no URL */
export function openHttp(apiUrl: string, key: string | undefined, interrupted?: AbortSignal): HttpClient {
  try {
    return new HttpClient(apiUrl, key, interrupted);
  } catch {
    throw new CliError(`${apiUrl} is no URL.`, {
      exitCode: EXIT.usage,
      next: 'Give one such as http://localhost:8080 by --api-url or API_URL.',
    });
  }
}

/** Ctrl-C ends what it is being asked. */
export function adminApi({ apiUrl }: CommonFlags, { environment, interrupted }: CommandContext): AdminApi {
  return new AdminApi(openHttp(apiUrl, environment.adminToken, interrupted));
}
