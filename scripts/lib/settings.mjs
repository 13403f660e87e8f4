import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readEnvFile } from './env-file.mjs';
import { DATA_DIR, HOME_DIR, ROOT } from './paths.mjs';

/** The environment wins over `.env` at the root; an empty value counts as not given. */
export function readSettings(env = process.env, file = join(ROOT, '.env')) {
  const given = Object.entries({ ...readEnvFile(file), ...env }).filter(([, value]) => value !== '');
  const settings = Object.fromEntries(given);
  settings.STATE_DIR = resolve(ROOT, settings.STATE_DIR ?? DATA_DIR);
  return settings;
}

/** Package managers and compilers want a home to cache in; a container or a service may have none. */
export function ensureHome(env = process.env) {
  if (env.HOME) return;
  env.HOME = join(HOME_DIR, 'home');
  mkdirSync(env.HOME, { recursive: true });
}
