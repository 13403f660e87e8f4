// npm run call: a caller in the terminal, against a running Greenroom. See packages/cli for what it takes.
import './lib/check-node.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, isBuilt } from './lib/build.mjs';
import { readDevSecrets } from './lib/dev-secrets.mjs';
import { installNodePackages, packagesAreInstalled } from './lib/node-packages.mjs';
import { ROOT } from './lib/paths.mjs';
import { ensureHome } from './lib/settings.mjs';
import { withSetupLock } from './lib/setup-lock.mjs';
import { livingRecord } from './lib/stack/records.mjs';
import { describeError, say } from './lib/ui.mjs';

try {
  ensureHome();
  if (!packagesAreInstalled() || !isBuilt('packages/cli')) {
    await withSetupLock(async () => {
      if (!packagesAreInstalled()) await installNodePackages();
      await build(['packages/cli']);
    });
  }
  process.exitCode = await call(process.argv.slice(2));
} catch (error) {
  say(describeError(error));
  process.exitCode = 1;
}

/** `args` as they are; to our own stack with its address and, through the environment only, its generated token. */
function call(args) {
  const child = spawn(process.execPath, [join(ROOT, 'packages/cli/dist/main.js'), 'call', ...args], {
    stdio: 'inherit',
    // The WebRTC library prints its own debug lines unless it is told that this is production.
    env: { NODE_ENV: 'production', ...(namesAnother(args) ? {} : ourStack()), ...process.env },
  });
  // The terminal's Ctrl-C reaches the caller itself; we only wait for it to hang up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Another Greenroom must not be sent the token of ours. */
function namesAnother(args) {
  return Boolean(process.env.API_URL) || args.some((arg) => arg.startsWith('--api-url'));
}

function ourStack() {
  const { ADMIN_TOKEN } = readDevSecrets();
  const { apiUrl } = livingRecord('start') ?? {};
  return { ...(ADMIN_TOKEN && { ADMIN_TOKEN }), ...(apiUrl && { API_URL: apiUrl }) };
}
