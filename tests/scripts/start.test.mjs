import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  baseEnvironment,
  findLiveKitServer,
  findRedisServer,
  freePort,
  isAlive,
  processesWithEnvironment,
  startLiveKit,
  startProcess,
  startRedis,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ROOT } from '../../scripts/lib/paths.mjs';

const START_MS = 90_000;

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'greenroom-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('npm start', () => {
  let redis;
  let livekit;
  beforeAll(async () => {
    [redis, livekit] = await Promise.all([startRedis(), startLiveKit()]);
  });
  afterAll(() => Promise.all([redis.stop(), livekit.stop()]));

  /** Servers given, as another may run on this machine's usual ports; data in a folder of its own. */
  async function settings() {
    await redis.command('FLUSHALL');
    return {
      ...baseEnvironment(),
      GREENROOM_DATA_DIR: folder,
      REDIS_URL: redis.url,
      LIVEKIT_URL: livekit.url,
      LIVEKIT_API_KEY: livekit.apiKey,
      LIVEKIT_API_SECRET: livekit.apiSecret,
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      SPAWNER_PORT: String(await freePort()),
      WEB_PORT: String(await freePort()),
      POOL_TARGET: '1',
      AGENT_COMMAND: `${process.execPath} ${join(ROOT, 'tests/fixtures/agents/with-children.mjs')}`,
    };
  }

  const start = (env, readyWhen = { line: /^Greenroom is ready: / }) =>
    startProcess({
      name: 'npm start',
      command: process.execPath,
      args: [join(ROOT, 'scripts/start.mjs')],
      cwd: folder,
      env,
      readyWhen,
      timeoutMs: START_MS,
    });

  /** The program on PATH; it runs what `npm run greenroom -- …` runs. */
  async function greenroom(args, env = {}) {
    const asked = await startProcess({
      command: process.execPath,
      args: [join(ROOT, 'packages/cli/bin/greenroom.mjs'), ...args],
      env: { ...baseEnvironment(), GREENROOM_DATA_DIR: folder, ...env },
    });
    const { code } = await asked.exited;
    return { code, output: asked.output() };
  }

  const record = (name) => JSON.parse(readFileSync(join(folder, `run/${name}.json`), 'utf8'));
  const ours = () => processesWithEnvironment(folder).map(({ pid }) => pid);

  test(
    'runs everything, refuses a second one, restarts what dies, and Ctrl-C ends it all',
    async () => {
      const env = await settings();
      const running = await start(env);
      try {
        expect(running.output()).toContain(`Greenroom is ready: http://localhost:${env.WEB_PORT}\n`);
        expect(running.output()).toMatch(/npm run call/);
        expect(running.output()).toMatch(/Agents: 1 warm/);
        const health = await (await fetch(`http://127.0.0.1:${env.PORT}/api/health`)).json();
        expect(health).toMatchObject({ status: 'healthy', sessions: { pool: 1 } });
        expect(statSync(join(folder, 'dev-secrets.env')).mode & 0o777).toBe(0o600);

        const second = await startProcess({
          command: process.execPath,
          args: [join(ROOT, 'scripts/start.mjs')],
          env,
        });
        expect(await second.exited).toMatchObject({ code: 1 });
        expect(second.output()).toMatch(new RegExp(`already runs from this folder: pid ${running.pid}`));

        // The command finds it, and its token, by itself; where another is named, that gets no token of ours.
        expect(await greenroom(['hosts', '--json'])).toMatchObject({
          code: 0,
          output: expect.stringMatching(/^\{"hosts":\[\{"host":/),
        });
        const url = `http://127.0.0.1:${env.PORT}`;
        for (const named of [
          greenroom(['hosts'], { API_URL: url }),
          greenroom(['hosts', '--api-url', url]),
        ]) {
          expect(await named).toMatchObject({ code: 7, output: expect.stringContaining('ADMIN_TOKEN') });
        }

        // So does npm run call; Ctrl-C ends its session.
        const call = await startProcess({
          command: 'npm',
          args: ['run', '--silent', 'call', '--', '--name', 'Ada', '--say', 'hello'],
          cwd: ROOT,
          env: { ...baseEnvironment(), GREENROOM_DATA_DIR: folder },
        });
        await call.waitForLine(/^start answered .* ready, warm$/);
        process.kill(-call.pid, 'SIGINT');
        await call.exited;
        expect(call.output()).toMatch(/^call ended: caller_ended after /m);

        const { pid } = record('api');
        process.kill(pid, 'SIGKILL');
        await running.waitForLine(/The api died: SIGKILL/);
        await running.waitForLine(/The api is back/);
        expect(record('api').pid).not.toBe(pid);

        running.signal('SIGINT');
        // npm hands the same key press on once more: it must not count as the second one.
        running.signal('SIGINT');
        expect(await running.exited).toEqual({ code: 0, signal: null });
        expect(running.output()).not.toContain('Hurrying');
        expect(running.output()).toMatch(/Everything we started has ended/);
        expect(ours()).toEqual([]);
        expect(await redis.command('PING')).toBe('PONG');
      } finally {
        await running.stop();
      }
    },
    START_MS,
  );

  test(
    'a killed start is taken over by the next: agents live on',
    async () => {
      const env = await settings();
      const killed = await start(env);
      const left = { api: record('api').pid, spawner: record('spawner').pid };
      const agentPid = Number(await warmAgentPid());
      await killed.kill();
      expect([isAlive(left.api), isAlive(left.spawner), isAlive(agentPid)]).toEqual([true, true, true]);

      const next = await start(env);
      try {
        expect(next.output()).toMatch(/left its api running \(pid \d+\): ending it/);
        expect([isAlive(left.api), isAlive(left.spawner)]).toEqual([false, false]);
        expect(Number(await warmAgentPid())).toBe(agentPid);
        expect(isAlive(agentPid)).toBe(true);
      } finally {
        next.signal('SIGTERM');
        expect(await next.exited).toMatchObject({ code: 0 });
        await killed.stop();
      }
      expect(ours()).toEqual([]);
    },
    START_MS,
  );

  test(
    'a service that cannot start is shown with its own words, and nothing stays',
    async () => {
      const env = { ...(await settings()), MAX_SESSIONS: 'many' };
      await expect(start(env)).rejects.toThrow(/MAX_SESSIONS/);
      expect(ours()).toEqual([]);
    },
    START_MS,
  );

  async function warmAgentPid() {
    const [id] = await redis.command('SMEMBERS', 'pool:ready');
    return redis.command('GET', `agent:${id}:pid`);
  }
});

describe('servers of our own', () => {
  beforeEach(() => {
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  /** A module graph of its own, whose folder is this test's. */
  async function load(name) {
    process.env.GREENROOM_DATA_DIR = folder;
    jest.resetModules();
    return import(`../../scripts/lib/stack/${name}.mjs`);
  }
  afterEach(() => {
    jest.restoreAllMocks();
    delete process.env.GREENROOM_DATA_DIR;
  });

  test('Redis keeps its data from one start to the next and evicts nothing', async () => {
    const { startOwnRedis } = await load('start-redis');
    const { askRedis } = await import('../../scripts/lib/redis/resp.mjs');
    let redis;
    const choice = { kind: 'program', program: findRedisServer() };
    const started = (process) => {
      redis = process;
    };
    try {
      const url = await startOwnRedis(choice, started);
      const replies = await askRedis(url, [
        ['SET', 'a', '1'],
        ['CONFIG', 'GET', 'maxmemory-policy'],
        ['CONFIG', 'GET', 'bind'],
      ]);
      expect(replies.slice(1)).toEqual([
        ['maxmemory-policy', 'noeviction'],
        ['bind', '127.0.0.1'],
      ]);
      await redis.stop();
      const again = await startOwnRedis(choice, started);
      expect(await askRedis(again, [['GET', 'a']])).toEqual(['1']);
    } finally {
      await redis?.stop();
    }
    expect(isAlive(redis.pid)).toBe(false);
  });

  test('LiveKit makes no room by itself, tells the api what happens in those that there are, and its secret is on no command line', async () => {
    const { startOwnLiveKit } = await load('start-livekit');
    const keys = { LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret'.repeat(8) };
    let livekit;
    try {
      const onStarted = (process) => {
        livekit = process;
      };
      const apiUrl = 'http://localhost:8099';
      await startOwnLiveKit({ program: findLiveKitServer() }, { keys, apiUrl, onStarted });
      const config = join(folder, 'livekit/livekit.json');
      expect(statSync(config).mode & 0o777).toBe(0o600);
      const { room, webhook } = JSON.parse(readFileSync(config, 'utf8'));
      expect(room).toEqual({ auto_create: false });
      expect(webhook).toEqual({ api_key: 'key', urls: [`${apiUrl}/api/webhooks/livekit`] });
      expect(readFileSync(`/proc/${livekit.pid}/cmdline`, 'utf8')).not.toContain('secret');
    } finally {
      await livekit?.stop({ signal: 'SIGKILL' });
    }
    await waitFor(() => !isAlive(livekit.pid));
  });
});
