#!/usr/bin/env node
// npm run greenroom, npm run call: the greenroom command, built when something has changed, and told where the Greenroom of
// this folder is. See packages/cli for what it does.
import './lib/check-node.mjs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, isBuilt } from './lib/build.mjs';
import { readDevSecrets } from './lib/dev-secrets.mjs';
import { installNodePackages, packagesAreInstalled } from './lib/node-packages.mjs';
import { ROOT } from './lib/paths.mjs';
import { ensureHome, readSettings } from './lib/settings.mjs';
import { withSetupLock } from './lib/setup-lock.mjs';
import { livingRecord } from './lib/stack/records.mjs';
import { describeError, say } from './lib/ui.mjs';

/** What the command may know of the settings; `doctor` compares them with what is there. */
const SETTINGS = [
  'ADMIN_TOKEN',
  'REDIS_URL',
  'LIVEKIT_URL',
  'LIVEKIT_API_KEY',
  'LIVEKIT_API_SECRET',
  'PORT',
  'SPAWNER_PORT',
  'WEB_PORT',
  'STATE_DIR',
  'DISK_LOW_WATER_MB',
  'AGENT_COMMAND',
  'PROFILES_FILE',
  'GREENROOM_LIVEKIT_SERVER',
];

try {
  ensureHome();
  if (!packagesAreInstalled() || !isBuilt('packages/cli')) {
    await withStdoutToStderr(() =>
      withSetupLock(async () => {
        if (!packagesAreInstalled()) await installNodePackages();
        await build(['packages/cli']);
      }),
    );
  }
  if (!namesAnother(process.argv.slice(2))) Object.assign(process.env, ourDeployment());
  await import(pathToFileURL(join(ROOT, 'packages/cli/dist/main.js')).href);
} catch (error) {
  say(describeError(error));
  process.exitCode = 1;
}

/** What the set-up says is not the command's answer, which a program or a shell may be reading. */
async function withStdoutToStderr(run) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  try {
    await run();
  } finally {
    process.stdout.write = write;
  }
}

/** Another Greenroom must not be sent the token of ours. */
function namesAnother(args) {
  return Boolean(process.env.API_URL) || args.some((arg) => arg.startsWith('--api-url'));
}

/** As `npm start` runs it: its settings, then what it generated and where it is. Secrets go through the environment only. */
function ourDeployment() {
  const settings = { ...readDevSecrets(), ...readSettings() };
  const given = Object.fromEntries(
    SETTINGS.filter((name) => settings[name]).map((name) => [name, settings[name]]),
  );
  const { apiUrl, redisUrl, stateDir } = livingRecord('start') ?? {};
  const livekit = livingRecord('livekit');
  return {
    ...given,
    ...(livekit && !given.LIVEKIT_URL && { LIVEKIT_URL: livekit.url }),
    ...(apiUrl && { API_URL: apiUrl, REDIS_URL: redisUrl, STATE_DIR: stateDir }),
  };
}
