import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLiveKitServer, findRedisServer, startLiveKit, startRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { checkLiveKit } from '../../scripts/lib/livekit/check.mjs';
import { chooseLiveKit, chooseLiveKitProgram } from '../../scripts/lib/livekit/choose.mjs';
import { chooseRedis } from '../../scripts/lib/redis/choose.mjs';
import { inspectRedis, judge } from '../../scripts/lib/redis/inspect.mjs';
import { installSystemPackages } from '../../scripts/lib/system/install.mjs';

let said;
let folder;
const realPath = process.env.PATH;
beforeEach(() => {
  said = '';
  folder = mkdtempSync(join(tmpdir(), 'greenroom-choosing-'));
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env.PATH = realPath;
  rmSync(folder, { recursive: true, force: true });
});

/** A program that answers with this text, first on PATH. */
function putOnPath(name, script) {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin', name), 0o755);
  process.env.PATH = `${join(folder, 'bin')}:${realPath}`;
}

describe('a Redis that is there', () => {
  let redis;
  let locked;
  beforeAll(async () => {
    [redis, locked] = await Promise.all([startRedis(), startRedis({ password: 'p@ss/word' })]);
  });
  afterAll(() => Promise.all([redis.stop(), locked.stop()]));

  test('is taken when REDIS_URL names it', async () => {
    expect(await chooseRedis({ REDIS_URL: redis.url })).toEqual({ kind: 'running', url: redis.url });
    expect(said).toMatch(/as REDIS_URL says/);
  });

  test('its password is used and never shown', async () => {
    expect(await chooseRedis({ REDIS_URL: locked.url })).toMatchObject({ kind: 'running' });
    expect(said).not.toContain('p%40ss');
    expect(await inspectRedis(`redis://127.0.0.1:${locked.port}`)).toMatchObject({
      why: expect.stringMatching(/password/),
    });
    const wrong = `redis://:wrong@127.0.0.1:${locked.port}`;
    expect(await inspectRedis(wrong)).toMatchObject({
      state: 'refused',
      why: expect.stringMatching(/password/),
    });
  });

  test('one that evicts keys, or does not answer, is refused and not silently replaced', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    await expect(chooseRedis({ REDIS_URL: redis.url })).rejects.toThrow(/evicts keys/);
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await expect(chooseRedis({ REDIS_URL: 'redis://127.0.0.1:1' })).rejects.toThrow(/nobody answers/);
  });
});

test('an old Redis, a Cluster and a replica are refused by name', () => {
  const fine = {
    redis_version: '7.0.15',
    redis_mode: 'standalone',
    cluster_enabled: '0',
    maxmemory: '0',
    role: 'master',
  };
  expect(judge(fine)).toEqual({ state: 'usable', version: '7.0.15' });
  expect(judge({ ...fine, redis_version: '6.2.14' }).why).toMatch(/6\.2\.14.*7 or newer/);
  expect(judge({ ...fine, cluster_enabled: '1' }).why).toMatch(/Cluster/);
  expect(judge({ ...fine, role: 'slave' }).why).toMatch(/replica/);
  expect(judge({}).why).toMatch(/no Redis/);
});

test('a redis-server on PATH that is too old is passed over, and said so', async () => {
  putOnPath('redis-server', 'echo "Redis server v=6.0.16 sha=0 malloc=x"');
  putOnPath('valkey-server', 'echo "Valkey server v=8.0.1 sha=0 malloc=x"');
  const { chooseRedisProgram } = await import('../../scripts/lib/redis/choose.mjs');
  expect(await chooseRedisProgram({})).toEqual({
    kind: 'program',
    program: join(folder, 'bin/valkey-server'),
  });
  expect(said).toMatch(/not .*redis-server: it is 6\.0\.16, and 7 or newer is needed/);
});

describe('LiveKit', () => {
  test('the real server is recognised; a namesake and an old one are not', async () => {
    putOnPath('livekit-server', 'echo "livekit-server version 1.4.0"');
    symlinkSync(findLiveKitServer(), join(folder, 'server'));
    const choice = await chooseLiveKitProgram({ GREENROOM_LIVEKIT_SERVER: findRedisServer(), GOBIN: folder });
    expect(choice.kind).toBe('program');
    expect(choice.program).not.toBe(findRedisServer());
    expect(said).toMatch(/it is 1\.4\.0, and 1\.9 or newer is needed/);
  });

  test('one that LIVEKIT_URL names is taken only with keys that it knows', async () => {
    const livekit = await startLiveKit();
    try {
      const given = {
        LIVEKIT_URL: livekit.url,
        LIVEKIT_API_KEY: livekit.apiKey,
        LIVEKIT_API_SECRET: livekit.apiSecret,
      };
      expect(await chooseLiveKit(given)).toEqual({ kind: 'running', url: livekit.url });
      expect(await checkLiveKit({ ...given, LIVEKIT_API_SECRET: 'x'.repeat(40) })).toMatch(/does not know/);
      expect(await checkLiveKit({ LIVEKIT_URL: livekit.url })).toMatch(/not given/);
    } finally {
      await livekit.stop();
    }
    expect(
      await checkLiveKit({ LIVEKIT_URL: livekit.url, LIVEKIT_API_KEY: 'k', LIVEKIT_API_SECRET: 's' }),
    ).toMatch(/nobody answers/);
  });
});

describe('what the system lacks', () => {
  test('--no-install names the command and installs nothing', async () => {
    putOnPath('apt-get', `touch ${folder}/installed`);
    await expect(installSystemPackages(['redis'], { mayInstall: false })).rejects.toMatchObject({
      message: expect.stringMatching(/Redis 7.*--no-install/),
      next: expect.stringMatching(/apt-get install .*redis-server/),
    });
  });

  test('as root it is installed at once, saying so first; for others the command is printed', async () => {
    putOnPath('apt-get', `echo "$@" >> ${folder}/calls`);
    const { readFileSync } = await import('node:fs');
    jest.spyOn(process, 'getuid').mockReturnValue(0);
    await installSystemPackages(['redis', 'speech'], { mayInstall: true });
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe(
      'update\ninstall -y --no-install-recommends redis-server flite espeak-ng pocketsphinx pocketsphinx-en-us\n',
    );
    expect(said.indexOf('Installing with apt')).toBeGreaterThan(-1);
    process.getuid.mockReturnValue(1000);
    await expect(installSystemPackages(['redis'], { mayInstall: true })).rejects.toMatchObject({
      next: expect.stringMatching(/^sudo apt-get update && sudo apt-get install .*redis-server$/),
    });
  });
});
