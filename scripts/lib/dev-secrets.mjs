import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readEnvFile } from './env-file.mjs';
import { DATA_DIR } from './paths.mjs';

export const SECRETS_FILE = join(DATA_DIR, 'dev-secrets.env');

const MAKERS = {
  LIVEKIT_API_KEY: () => `dev${randomBytes(6).toString('hex')}`,
  LIVEKIT_API_SECRET: () => randomBytes(32).toString('base64url'),
  ADMIN_TOKEN: () => randomBytes(24).toString('base64url'),
};

/** What an earlier start generated on this machine; empty when there was none. */
export function readDevSecrets(file = SECRETS_FILE) {
  return readEnvFile(file);
}

/** The same, with what was missing generated and written: readable by its owner only, never printed. */
export function ensureDevSecrets(file = SECRETS_FILE) {
  const known = readDevSecrets(file);
  const secrets = Object.fromEntries(
    Object.entries(MAKERS).map(([name, make]) => [name, known[name] || make()]),
  );
  if (Object.keys(MAKERS).every((name) => known[name])) {
    chmodSync(file, 0o600);
    return secrets;
  }
  mkdirSync(dirname(file), { recursive: true });
  const lines = Object.entries({ ...known, ...secrets }).map(([name, value]) => `${name}=${value}`);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `# Generated for this machine; delete the file for new ones.\n${lines.join('\n')}\n`, {
    mode: 0o600,
  });
  renameSync(draft, file);
  return secrets;
}
