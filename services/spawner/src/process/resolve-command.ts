import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { LaunchError } from './launch-error.js';

/** What execvp(3) takes when PATH is unset. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Finds a command as the gate's shell will, so that a wrong one is reported before anything is started and not as
 * exit code 127 in a log file.
 *
 * @throws LaunchError command_not_found, command_not_executable
 */
export async function resolveCommand(command: string, cwd: string, searchPath?: string): Promise<string> {
  let blocked: string | undefined;
  for (const candidate of candidatesFor(command, cwd, searchPath)) {
    const kind = await inspect(candidate);
    if (kind === 'executable') return candidate;
    if (kind === 'blocked') blocked ??= candidate;
  }
  if (blocked !== undefined) {
    throw new LaunchError('command_not_executable', `${blocked} is not an executable file`);
  }
  throw new LaunchError('command_not_found', `command not found: ${command}`);
}

/** @throws LaunchError cwd_not_found */
export async function requireDirectory(cwd: string): Promise<void> {
  const isDirectory = await stat(cwd).then(
    (it) => it.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new LaunchError('cwd_not_found', `working directory not found: ${cwd}`);
}

function candidatesFor(command: string, cwd: string, searchPath = DEFAULT_PATH): string[] {
  if (command === '') return [];
  if (command.includes('/')) return [path.resolve(cwd, command)];
  return searchPath.split(':').map((folder) => path.resolve(cwd, folder, command));
}

async function inspect(file: string): Promise<'executable' | 'blocked' | 'missing'> {
  try {
    if (!(await stat(file)).isFile()) return 'blocked';
    await access(file, constants.X_OK);
    return 'executable';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'EACCES' || code === 'EPERM' ? 'blocked' : 'missing';
  }
}
