import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Everything that we download, generate or write while running: `rm -rf .greenroom` starts over. */
export const HOME_DIR = join(ROOT, '.greenroom');
export const BIN_DIR = join(HOME_DIR, 'bin');
export const TOOLS_DIR = join(HOME_DIR, 'tools');

/** The part that belongs to one running Greenroom: data, logs, secrets. Tests of these scripts give their own. */
export const DATA_DIR = process.env.GREENROOM_DATA_DIR || HOME_DIR;
export const LOG_DIR = join(DATA_DIR, 'logs');
export const RUN_DIR = join(DATA_DIR, 'run');

/** Kept across clones, so that a second clone need not build LiveKit again. */
export function userCacheDir(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'greenroom');
}

/** How a path is shown to a person: short when it is inside the repository. */
export function shortPath(path) {
  return path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1) : path;
}
