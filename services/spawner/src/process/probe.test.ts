import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fixtureEnv } from './fixtures/launch-fixture.js';
import { probeHunting } from './probe.js';
import { withLaunchCookie } from './survey.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-probe-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

test('where /proc is as it should be, what hides is found and killed, quickly, and nothing is left', async () => {
  const logFile = path.join(home, 'probe.log');
  const startedAt = performance.now();
  expect(await probeHunting({ launchId: 'probe-launch', logFile, env: fixtureEnv })).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(1000);
  expect(await withLaunchCookie('probe-launch')).toEqual([]);
  expect(existsSync(logFile)).toBe(false);
});

test('what an interrupted probe has written does not count', async () => {
  const logFile = path.join(home, 'probe.log');
  await writeFile(logFile, 'pid 4194301\npid 4194302\n');
  expect(await probeHunting({ launchId: 'probe-launch', logFile, env: fixtureEnv })).toBeUndefined();
});

test('where nothing can be started, it says so', async () => {
  const logFile = path.join(home, 'no-such-folder', 'probe.log');
  const reason = await probeHunting({ launchId: 'probe-launch', logFile, env: fixtureEnv });
  expect(reason).toMatch(/a probe process could not be started: cannot append to/);
});

test('where the tools are missing, it says that nothing came up', async () => {
  const logFile = path.join(home, 'probe.log');
  const reason = await probeHunting({ launchId: 'probe-launch', logFile, env: { PATH: home } });
  expect(reason).toBe('probe processes did not start in time');
  expect(await withLaunchCookie('probe-launch')).toEqual([]);
});
