import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATA_DIR, shortPath } from '../paths.mjs';
import { freePortFrom } from '../ports.mjs';
import { inspectRedis } from '../redis/inspect.mjs';
import { ask } from '../run-step.mjs';
import { say, SetupError } from '../ui.mjs';
import { logTail, startBackground } from './background.mjs';

const FOLDER = join(DATA_DIR, 'redis');
const IMAGE = 'redis:7.4-alpine';
const START_TIMEOUT_MS = 15_000;

/** Every write is on disk within a second; a full one refuses writes instead of dropping sessions. */
const SETTINGS = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];

/** A Redis of our own. `onStarted` gets its process at once; resolves with its URL. */
export async function startOwnRedis(choice, onStarted) {
  mkdirSync(FOLDER, { recursive: true });
  const port = await freePortFrom(6379);
  const url = `redis://127.0.0.1:${port}`;
  const process =
    choice.kind === 'container'
      ? startContainer(choice.tool, port, url)
      : startProgram(choice.program, port, url);
  onStarted(process);
  if (choice.kind === 'container') say(`  Redis: the first time, ${IMAGE} is downloaded`);
  await untilReady(process, url, choice.kind === 'container' ? 180_000 : START_TIMEOUT_MS);
  say(`✓ Redis: started on 127.0.0.1:${port}, data in ${shortPath(FOLDER)}`);
  return url;
}

function startProgram(program, port, url) {
  return startBackground({
    name: 'redis',
    command: program,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', FOLDER, ...SETTINGS],
    env: globalThis.process.env,
    record: { url },
  });
}

/** In the foreground of its client, which hands our signals on: it is ended like any other process. */
function startContainer(tool, port, url) {
  const name = `greenroom-redis-${port}`;
  const started = startBackground({
    name: 'redis',
    command: tool,
    args: [
      'run',
      '--rm',
      '--name',
      name,
      '-p',
      `127.0.0.1:${port}:6379`,
      '-v',
      `${FOLDER}:/data`,
      IMAGE,
      'redis-server',
      ...SETTINGS,
    ],
    env: globalThis.process.env,
    record: { url, container: name },
  });
  const stop = async (options) => {
    await started.stop(options);
    await ask(tool, ['rm', '-f', name]);
  };
  return { ...started, stop };
}

async function untilReady(process, url, timeoutMs) {
  const deadline = performance.now() + timeoutMs;
  while ((await inspectRedis(url)).state !== 'usable') {
    if (process.isAlive() && performance.now() < deadline) {
      await sleep(100);
      continue;
    }
    const tail = logTail(process);
    await process.stop();
    throw new SetupError('Redis did not start.', {
      logFile: process.logFile,
      tail,
      next: 'see the lines above',
    });
  }
}
