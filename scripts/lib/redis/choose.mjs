import { findProgram, isProgram } from '../find-program.mjs';
import { ask } from '../run-step.mjs';
import { findContainerTool } from '../system/containers.mjs';
import { findPackageManager } from '../system/package-manager.mjs';
import { NEEDS } from '../system/needs.mjs';
import { say, SetupError } from '../ui.mjs';
import { inspectRedis, OLDEST_MAJOR } from './inspect.mjs';

const LOCAL_URL = 'redis://localhost:6379';

/**
 * The Redis to run on, first that fits: REDIS_URL, a server on localhost, redis-server on PATH, a container.
 * `{kind: 'running', url}`, `{kind: 'program', program}`, `{kind: 'container', tool}`, or undefined when the package
 * manager is the one left to ask. Says what it took and why it passed others over.
 * @throws SetupError when the Redis that REDIS_URL names cannot be used: another one would be another set of data
 */
export async function chooseRedis(settings) {
  if (settings.REDIS_URL) return takeGiven(settings.REDIS_URL);
  return (await takeLocal()) ?? (await takeProgram()) ?? (await takeContainer());
}

/** Tests start their own, so only a program will do. */
export async function chooseRedisProgram(settings) {
  if (isProgram(settings.GREENROOM_REDIS_SERVER ?? ''))
    return { kind: 'program', program: settings.GREENROOM_REDIS_SERVER };
  return takeProgram();
}

async function takeGiven(url) {
  const shown = withoutPassword(url);
  if (!/^rediss?:$/.test(new URL(url).protocol)) {
    say(`✓ Redis: ${shown}, as REDIS_URL says (the services will check it)`);
    return { kind: 'running', url };
  }
  const verdict = await inspectRedis(url);
  if (verdict.state === 'usable') {
    say(`✓ Redis: ${verdict.version} at ${shown}, as REDIS_URL says`);
    return { kind: 'running', url };
  }
  const problem = verdict.state === 'absent' ? `nobody answers there (${verdict.why})` : verdict.why;
  throw new SetupError(`REDIS_URL names ${shown}, but ${problem}.`, {
    next: 'mend that, or unset REDIS_URL to let us find or start another',
  });
}

async function takeLocal() {
  const verdict = await inspectRedis(LOCAL_URL);
  if (verdict.state === 'usable') {
    say(`✓ Redis: ${verdict.version}, already running on localhost:6379 (it stays when we end)`);
    return { kind: 'running', url: LOCAL_URL };
  }
  if (verdict.state === 'refused') say(`  Redis: not the one on localhost:6379: ${verdict.why}`);
  return undefined;
}

async function takeProgram() {
  for (const name of ['redis-server', 'valkey-server']) {
    const program = findProgram(name);
    if (!program) continue;
    const { output } = await ask(program, ['--version']);
    const version = /v=(\d+)[.\d]*/.exec(output);
    if (version && Number(version[1]) >= OLDEST_MAJOR) {
      say(`✓ Redis: ${program} (${version[0].slice(2)})`);
      return { kind: 'program', program };
    }
    say(
      `  Redis: not ${program}: ${version ? `it is ${version[0].slice(2)}, and ${OLDEST_MAJOR} or newer is needed` : 'it does not run'}`,
    );
  }
  return undefined;
}

async function takeContainer() {
  const tool = await findContainerTool();
  if (!tool) return undefined;
  say(`✓ Redis: in a container, with ${tool} (no redis-server on PATH)`);
  return { kind: 'container', tool };
}

/** @throws SetupError when what the package manager has is too old: then a person has to choose */
export async function checkRedisOnOffer() {
  const manager = findPackageManager();
  const [name] = NEEDS.redis.packages[manager?.name] ?? [];
  const major = name && (await manager.versionOnOffer(name));
  if (major === undefined || major >= OLDEST_MAJOR) return;
  throw new SetupError(
    `Redis ${OLDEST_MAJOR} or newer is needed, and ${manager.name} here offers ${major}.`,
    {
      next: 'start Docker or Podman, or give REDIS_URL of a newer server, then run the same command again',
    },
  );
}

function withoutPassword(url) {
  const shown = new URL(url);
  if (shown.password) shown.password = '***';
  return shown.href;
}
