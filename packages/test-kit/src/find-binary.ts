import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** Named by GREENROOM_REDIS_SERVER, or found on PATH. `npm test` sees to it that there is one. */
export function findRedisServer(): string {
  return find('redis-server', [process.env.GREENROOM_REDIS_SERVER, ...onPath('redis-server')]);
}

/** Named by GREENROOM_LIVEKIT_SERVER, on PATH, in Go's bin folder (there it is called `server`), or in .greenroom/bin. */
export function findLiveKitServer(): string {
  return find('livekit-server', [
    process.env.GREENROOM_LIVEKIT_SERVER,
    ...onPath('livekit-server'),
    join(REPOSITORY, '.greenroom/bin/livekit-server'),
    join(homedir(), 'go/bin/livekit-server'),
    join(homedir(), 'go/bin/server'),
  ]);
}

/** Sets the wall clock of single programs. `npm test` installs it. */
export function findFaketimeLibrary(): string {
  // Debian has a folder for each architecture.
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'].filter((folder) => existsSync(folder));
  const below = folders.flatMap((folder) => [
    folder,
    ...readdirSync(folder).map((name) => join(folder, name)),
  ]);
  const found = below
    .map((folder) => join(folder, 'faketime/libfaketime.so.1'))
    .find((file) => existsSync(file));
  if (!found) throw new Error('no libfaketime found; run the tests with `npm test`, which installs it');
  return found;
}

function find(name: string, candidates: readonly (string | undefined)[]): string {
  const found = candidates.find((path) => path !== undefined && isProgram(path));
  if (!found) throw new Error(`no ${name} found; run the tests with \`npm test\`, which installs it`);
  return found;
}

function onPath(name: string): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
