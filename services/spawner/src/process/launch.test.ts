import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isAlive, waitFor } from '@greenroom/test-kit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { transform } from '@swc/core';
import { cleanUpFixtures, fixtureEnv, fixturePath, gateFixture } from './fixtures/launch-fixture.js';
import { checkIdentity } from './identity.js';
import { GATE_EXIT_CODE, type LaunchRequest, openGate } from './launch.js';
import { withLaunchCookie } from './survey.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-launch-'));
});
afterEach(async () => {
  await cleanUpFixtures();
  await rm(home, { recursive: true, force: true });
});

function request(over: Partial<LaunchRequest> = {}): LaunchRequest {
  const logFile = path.join(home, 'agent.log');
  return {
    command: 'sleep',
    args: ['20'],
    cwd: home,
    env: fixtureEnv,
    logFile,
    launchId: 'launch-1',
    ...over,
  };
}

describe('the gate', () => {
  test('keeps the command from running until it is released', async () => {
    const launch = await gateFixture('sh', '-c', 'echo ran > ran.txt; sleep 20');
    await setTimeout(200);
    expect(checkIdentity(launch.identity)).toBe('alive');
    expect(fs.existsSync(path.join(launch.folder, 'ran.txt'))).toBe(false);
    await launch.release();
    await waitFor(() => fs.existsSync(path.join(launch.folder, 'ran.txt')));
  });

  test('gives the command the identity that was known before', async () => {
    const launch = await gateFixture('sh', '-c', 'cat /proc/self/stat >stat.txt; echo "pid $$"; sleep 20');
    const { pid, pgid } = launch.identity;
    expect(launch.leadsGroup).toBe(true);
    expect(pgid).toBe(pid);
    await launch.release();
    const [, told] = await launch.awaitLine(/pid (\d+)/);
    expect(Number(told)).toBe(pid);
    expect(checkIdentity(launch.identity)).toBe('alive');
  });

  test('lets the kernel take the agent before its spawner when memory is short', async () => {
    const { identity } = await gateFixture('sleep', '20');
    const scoreOf = (pid: number) => Number(fs.readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
    expect(scoreOf(identity.pid)).toBeGreaterThanOrEqual(500);
    expect(scoreOf(identity.pid)).toBeGreaterThan(scoreOf(process.pid));
  });

  test('ends without running the command when abandoned', async () => {
    const launch = await gateFixture('sh', '-c', 'echo ran');
    await launch.abandon();
    expect(await launch.exited).toEqual({ code: GATE_EXIT_CODE, signal: null });
    expect(await launch.readLog()).toBe('');
  });

  test('refuses to release a shell that is gone', async () => {
    const launch = await gateFixture('sleep', '20');
    process.kill(launch.identity.pid, 'SIGKILL');
    await launch.exited;
    await expect(launch.release()).rejects.toMatchObject({ code: 'gate_closed' });
  });

  test('leaves nothing when its spawner is killed before the release', async () => {
    const modules = await compileProcessFolder();
    const launchId = `orphan-${process.pid}-${Date.now()}`;
    const marker = path.join(home, 'ran.txt');
    const order = request({ launchId, command: 'sh', args: ['-c', `echo ran > ${marker}; sleep 20`] });
    const parent = spawn(process.execPath, [
      fixturePath('launches-and-is-killed.mjs'),
      path.join(modules, 'launch.js'),
      JSON.stringify(order),
    ]);
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
    expect(isAlive(pid)).toBe(true);
    expect(await withLaunchCookie(launchId)).toHaveLength(1);
    parent.kill('SIGKILL');
    await waitFor(() => !isAlive(pid));
    expect(await withLaunchCookie(launchId)).toEqual([]);
    expect(fs.existsSync(marker)).toBe(false);
  });
});

describe('the command', () => {
  test('gets the given environment, nothing of ours, and the launch cookie', async () => {
    process.env['GREENROOM_TEST_SECRET'] = 'ours';
    const env = { ...fixtureEnv, SESSION_ID: 's', 'FOO.BAR': 'no shell name' };
    const launch = await openGate(request({ command: 'env', args: [], env }));
    expect(launch.droppedVariables).toEqual(['FOO.BAR']);
    await launch.release();
    await launch.exited;
    delete process.env['GREENROOM_TEST_SECRET'];
    const names = (await readFile(path.join(home, 'agent.log'), 'utf8'))
      .split('\n')
      .filter((it) => it !== '');
    // The shell itself sets PWD, and bash in its place also OLDPWD, SHLVL and _.
    const own = names.filter((it) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(it) && !it.startsWith('FOO.BAR'));
    expect(own.sort()).toEqual([`GREENROOM_LAUNCH=launch-1`, `PATH=${fixtureEnv.PATH}`, 'SESSION_ID=s']);
  });

  test('gets its arguments as they are, quotes, line breaks and option-like ones included', async () => {
    const args = ['%s|', '-n', 'a b', "it's", '$HOME', 'x\ny', '', '--'];
    const launch = await openGate(request({ command: 'printf', args }));
    await launch.release();
    await launch.exited;
    expect(await readFile(path.join(home, 'agent.log'), 'utf8')).toBe("-n|a b|it's|$HOME|x\ny||--|");
  });

  test('has only standard descriptors, stdin being /dev/null', async () => {
    const stray = fs.openSync('/etc/hostname', 'r');
    const launch = await openGate(request({ command: 'ls', args: ['-l', '/proc/self/fd'] }));
    await launch.release();
    await launch.exited;
    fs.closeSync(stray);
    const lines = (await readFile(path.join(home, 'agent.log'), 'utf8'))
      .split('\n')
      .filter((it) => it.includes('->'));
    const targets = new Map(lines.map((it) => it.split(' ').slice(-3)).map(([fd, , to]) => [Number(fd), to]));
    expect(targets.get(0)).toBe('/dev/null');
    expect(targets.get(1)).toBe(path.join(home, 'agent.log'));
    expect(targets.get(2)).toBe(path.join(home, 'agent.log'));
    // ls itself opens one on the folder; all else may only be covered.
    const others = [...targets].filter(
      ([fd, to]) => fd > 2 && to !== '/dev/null' && !to?.startsWith('/proc/'),
    );
    expect(others).toEqual([]);
  });

  test('does not inherit a descriptor that our own parent left open', async () => {
    const modules = await compileProcessFolder();
    const logFile = path.join(home, 'fds.log');
    const script = `
      const { openGate } = await import(${JSON.stringify(path.join(modules, 'launch.js'))});
      const launch = await openGate(${JSON.stringify(request({ command: 'ls', args: ['-l', '/proc/self/fd'], logFile }))});
      await launch.release();
      setInterval(() => {}, 50);
      await launch.exited;
      process.exit(0);`;
    const stdio = Array.from(
      { length: 61 },
      (_, fd) => (fd === 60 ? fs.openSync('/etc/hosts', 'r') : 'ignore') as number,
    );
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio });
    const code = await new Promise((resolve) => parent.once('exit', resolve));
    expect(code).toBe(0);
    const log = await readFile(logFile, 'utf8');
    expect(log).toMatch(/ 60 -> \/dev\/null/);
    expect(log).not.toContain('/etc/hosts');
  });

  test('appends to its log, which nobody else can read', async () => {
    const logFile = path.join(home, 'agent.log');
    for (const word of ['one', 'two']) {
      const launch = await openGate(request({ command: 'sh', args: ['-c', `echo ${word}; echo err >&2`] }));
      await launch.release();
      expect(await launch.exited).toEqual({ code: 0, signal: null });
    }
    expect(await readFile(logFile, 'utf8')).toBe('one\nerr\ntwo\nerr\n');
    expect(fs.statSync(logFile).mode & 0o777).toBe(0o600);
  });

  test('has its exit told while a helper still holds its output', async () => {
    const launch = await gateFixture('forks-and-exits.sh');
    const startedAt = performance.now();
    await launch.release();
    expect(await launch.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('has its exit code or signal told', async () => {
    const failing = await gateFixture('exits-at-once.sh');
    await failing.release();
    expect(await failing.exited).toEqual({ code: 3, signal: null });
    const killed = await gateFixture('sleep', '20');
    await killed.release();
    process.kill(killed.identity.pid, 'SIGKILL');
    expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('a launch that cannot be', () => {
  test.each([
    ['command_not_found', { command: 'no-such-program-here' }],
    ['command_not_found', { command: '' }],
    ['command_not_found', { command: './missing.sh' }],
    ['command_not_executable', { command: './plain.txt' }],
    ['command_not_executable', { command: './folder' }],
    ['cwd_not_found', { cwd: '/no/such/folder' }],
    ['cwd_not_found', { cwd: '/etc/hostname' }],
    ['log_not_writable', { logFile: '/no/such/folder/agent.log' }],
    ['invalid_argument', { args: ['a\0b'] }],
  ] as const)('is refused with %s: %j', async (code, over) => {
    await writeFile(path.join(home, 'plain.txt'), 'text');
    await chmod(path.join(home, 'plain.txt'), 0o644);
    await mkdir(path.join(home, 'folder'));
    await expect(openGate(request(over))).rejects.toMatchObject({ name: 'LaunchError', code });
  });
});

/** The sources as a separate Node process can import them, without relying on an up-to-date build. */
async function compileProcessFolder(): Promise<string> {
  const source = path.dirname(fixturePath('.'));
  const target = path.join(home, 'compiled');
  await mkdir(target);
  await writeFile(path.join(target, 'package.json'), '{"type":"module"}');
  for (const name of await readdir(source)) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const { code } = await transform(await readFile(path.join(source, name), 'utf8'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    await writeFile(path.join(target, name.replace(/\.ts$/, '.js')), code);
  }
  return target;
}
