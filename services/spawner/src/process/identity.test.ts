import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor } from '@greenroom/test-kit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUpFixtures, gateFixture, runFixture } from './fixtures/launch-fixture.js';
import { checkIdentity, parseLaunchCookie, readIdentity, readLaunchCookie } from './identity.js';
import { hasEnded, parseStat, readStat, systemConstants } from './proc-files.js';

afterEach(cleanUpFixtures);

const FIELDS =
  'S 100 200 300 0 -1 4194304 99 0 0 0 7 5 0 0 20 0 1 0 90085 3133440 390 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0';

describe('a /proc/PID/stat line', () => {
  test.each(['sh', 'my prog', 'a) S 1 (b', ') R 1 1', '(sd-pam)', 'two\nlines', ''])(
    'of a program named %j',
    (comm) => {
      expect(parseStat(`42 (${comm}) ${FIELDS}`)).toEqual({
        pid: 42,
        comm,
        state: 'S',
        ppid: 100,
        pgid: 200,
        sid: 300,
        isKernelThread: false,
        cpuTicks: 12,
        threads: 1,
        startTime: '90085',
        rssPages: 390,
      });
    },
  );

  test.each(['', '42', '42 (sh', '42 (sh) S 1', `x (sh) ${FIELDS}`])('that is broken: %j', (line) => {
    expect(parseStat(line)).toBeUndefined();
  });

  test('tells the dead from those whose first thread alone has ended', () => {
    expect(hasEnded({ state: 'Z', threads: 1 })).toBe(true);
    expect(hasEnded({ state: 'X', threads: 0 })).toBe(true);
    expect(hasEnded({ state: 'Z', threads: 3 })).toBe(false);
    expect(hasEnded({ state: 'D', threads: 1 })).toBe(false);
  });
});

describe('an identity', () => {
  test('is that of a live process, and no other', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    expect(readIdentity(identity.pid, identity.launchId)).toEqual(identity);
    expect(checkIdentity(identity)).toBe('alive');
    expect(checkIdentity({ ...identity, startTime: `${Number(identity.startTime) + 1}` })).toBe('other');
    expect(checkIdentity({ ...identity, launchId: 'another' })).toBe('other');
    expect(checkIdentity({ ...identity, bootId: 'another' })).toBe('gone');
    expect(checkIdentity({ ...identity, pidNamespace: '1' })).toBe('unknown');
  });

  test('is gone when the process is', async () => {
    const { identity, release, exited } = await gateFixture('exits-at-once.sh');
    await release();
    await exited;
    expect(checkIdentity(identity)).toBe('gone');
    expect(readIdentity(identity.pid, identity.launchId)).toBeUndefined();
  });

  test('is a zombie until the parent has asked for it', async () => {
    // The shell becomes a program that never waits for the child that it has already started.
    const { awaitLine, identity } = await runFixture(
      'sh',
      '-c',
      'sleep 0.1 & echo "child $! started"; exec sleep 20',
    );
    const child = Number((await awaitLine(/child (\d+)/))[1]);
    const before = readIdentity(child, identity.launchId);
    if (before === undefined) throw new Error('the child has gone too early');
    await waitFor(() => checkIdentity(before) === 'zombie');
  });

  test('survives a name made to confuse', async () => {
    const launch = await gateFixture(
      'sh',
      '-c',
      'while [ ! -e "./x) Z 1 (" ]; do sleep 0.02; done; exec "./x) Z 1 (" 20',
    );
    await copyFile('/bin/sleep', path.join(launch.folder, 'x) Z 1 ('));
    await launch.release();
    await waitFor(() => readComm(launch.identity.pid) === 'x) Z 1 (');
    expect(checkIdentity(launch.identity)).toBe('alive');
  });
});

describe('the launch cookie', () => {
  test('is read from the environment of a real process', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    expect(readLaunchCookie(identity.pid)).toEqual({ kind: 'launch', launchId: identity.launchId });
    expect(readLaunchCookie(process.pid).kind).toBe('none');
    expect(readLaunchCookie(4_190_000).kind).toBe('unknown');
  });

  test.each([
    ['A=1\0GREENROOM_LAUNCH=abc\0B=2\0', { kind: 'launch', launchId: 'abc' }],
    ['GREENROOM_LAUNCH=abc', { kind: 'launch', launchId: 'abc' }],
    ['NOT_GREENROOM_LAUNCH=abc\0', { kind: 'none' }],
    ['A=GREENROOM_LAUNCH=abc\0', { kind: 'none' }],
    ['', { kind: 'unknown' }],
    ['\0\0\0\0', { kind: 'unknown' }],
    ['worker: idle\0\0\0', { kind: 'unknown' }],
  ])('in %j', (environ, cookie) => {
    expect(parseLaunchCookie(environ)).toEqual(cookie);
  });
});

test('page size and clock tick are those of the kernel', () => {
  expect(systemConstants().ticksPerSecond).toBe(100);
  expect([4096, 16_384, 65_536]).toContain(systemConstants().pageBytes);
});

function readComm(pid: number): string | undefined {
  const read = readStat(pid);
  return read.kind === 'stat' ? read.stat.comm : undefined;
}
