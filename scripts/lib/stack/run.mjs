import { ensureDevSecrets } from '../dev-secrets.mjs';
import { checkLiveKit } from '../livekit/check.mjs';
import { ROOT } from '../paths.mjs';
import { startTimeOf } from '../proc.mjs';
import { inspectRedis } from '../redis/inspect.mjs';
import { say } from '../ui.mjs';
import { adopt } from './background.mjs';
import { writeRecord } from './records.mjs';
import { Service } from './service.mjs';
import { startOwnLiveKit } from './start-livekit.mjs';
import { startOwnRedis } from './start-redis.mjs';

/**
 * What we have started. Each member is set the moment its process exists, so that a signal or a failure half-way
 * finds all there is to end; `isStopping` keeps a start that is under way from going on.
 */
export class Stack {
  redis;
  livekit;
  spawner;
  api;
  web;
  isStopping = false;

  /** @returns the environment for the services */
  async startServers({ settings, choices, leftovers }) {
    const secrets = ensureDevSecrets();
    const keys = {
      LIVEKIT_API_KEY: settings.LIVEKIT_API_KEY ?? secrets.LIVEKIT_API_KEY,
      LIVEKIT_API_SECRET: settings.LIVEKIT_API_SECRET ?? secrets.LIVEKIT_API_SECRET,
    };
    const REDIS_URL = await this.#useRedis(choices.redis, leftovers.redis);
    const LIVEKIT_URL = await this.#useLiveKit(choices.livekit, leftovers.livekit, {
      keys,
      apiUrl: apiUrlOf(settings),
    });
    return {
      ...settings,
      ...keys,
      ADMIN_TOKEN: settings.ADMIN_TOKEN ?? secrets.ADMIN_TOKEN,
      REDIS_URL,
      LIVEKIT_URL,
    };
  }

  /** Both at once: neither needs the other to get ready. */
  async startServices(env) {
    if (this.isStopping) return;
    this.spawner = new Service({
      name: 'spawner',
      // So that Ctrl-C ends its sessions, instead of leaving them to a successor that will not come.
      env: { ...env, SHUTDOWN_MODE: 'drain', DRAIN_TIMEOUT: '0' },
      readyUrl: `${localUrl(env, env.SPAWNER_PORT ?? 8081)}/readyz`,
    });
    // No proxy stands in front that would have to notice, but for our own web service, on this machine.
    const apiEnv = { API_DRAIN_DELAY: '0', TRUST_PROXY: '127.0.0.1,::1', ...env };
    this.api = new Service({ name: 'api', env: apiEnv, readyUrl: `${apiUrlOf(env)}/readyz` });
    this.web = new Service({
      name: 'web',
      env: { ...env, API_URL: apiUrlOf(env) },
      readyUrl: `${webUrlOf(env)}/readyz`,
    });
    await Promise.all([this.spawner.start(), this.api.start(), this.web.start()]);
    say(
      `✓ Services: web on port ${env.WEB_PORT ?? 3000}, api on ${env.PORT ?? 8080}, spawner on ${env.SPAWNER_PORT ?? 8081}`,
    );
  }

  async #useRedis(choice, left) {
    if (left && (await inspectRedis(left.url)).state === 'usable') {
      this.redis = adopt(left);
      return left.url;
    }
    if (choice.kind === 'running') return choice.url;
    return startOwnRedis(choice, (process) => {
      this.redis = process;
    });
  }

  async #useLiveKit(choice, left, { keys, apiUrl }) {
    if (left && !(await checkLiveKit({ LIVEKIT_URL: left.url, ...keys }))) {
      this.livekit = adopt(left);
      return left.url;
    }
    if (choice.kind === 'running') return choice.url;
    await (left && adopt(left).stop({ signal: 'SIGKILL' }));
    const onStarted = (process) => {
      this.livekit = process;
    };
    return startOwnLiveKit(choice, { keys, apiUrl, onStarted });
  }
}

export function apiUrlOf(env) {
  return localUrl(env, env.PORT ?? 8080);
}

export function webUrlOf(env) {
  return localUrl(env, env.WEB_PORT ?? 3000);
}

/** One that listens everywhere is reached as localhost, one on an address of its own only there. */
function localUrl({ HOST }, port) {
  const host = !HOST || ['::', '0.0.0.0', '127.0.0.1', '::1'].includes(HOST) ? 'localhost' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** For the next start, and for scripts that want to know where this one runs. */
export function recordStart(env = {}) {
  writeRecord({
    name: 'start',
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    root: ROOT,
    ...(env.REDIS_URL && {
      apiUrl: apiUrlOf(env),
      webUrl: webUrlOf(env),
      redisUrl: env.REDIS_URL,
      stateDir: env.STATE_DIR,
    }),
  });
}
