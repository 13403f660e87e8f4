import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isAlive, readCommandLine, waitFor } from '@greenroom/test-kit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { enterCgroup, findCgroupRoot, killCgroup, listCgroup } from './cgroup.js';
import { fixtureEnv, fixturePath } from './fixtures/launch-fixture.js';
import { type GatedLaunch, openGate } from './launch.js';
import { stopTree } from './stop.js';

const cgroupRoot = findCgroupRoot();
// Most containers may not make cgroups; everything else is tested without them.
const describeWithCgroups = cgroupRoot === undefined ? describe.skip : describe;

let home: string;
let launch: GatedLaunch | undefined;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-cgroup-'));
});
afterEach(async () => {
  if (launch !== undefined) await stopTree({ ...launch, graceMs: 0 });
  launch = undefined;
  await rm(home, { recursive: true, force: true });
});

async function gate(...args: string[]): Promise<GatedLaunch> {
  const launchId = `test-${process.pid}-${Date.now()}`;
  const logFile = path.join(home, 'agent.log');
  const request = { command: 'sh', args, cwd: home, env: fixtureEnv, logFile, launchId, cgroupRoot };
  launch = await openGate(request);
  return launch;
}

/** A daemon with another session, parent and environment; its pid. */
async function startHiddenDaemon(): Promise<number> {
  const pidFile = path.join(home, 'pid');
  const daemon = `(env -i /usr/bin/env setsid /bin/sleep 60 & echo $! > ${pidFile})`;
  const { release } = await gate('-c', `${daemon}; sleep 60`);
  await release();
  await waitFor(() => fs.existsSync(pidFile) && fs.readFileSync(pidFile, 'utf8').endsWith('\n'));
  const pid = Number(fs.readFileSync(pidFile, 'utf8'));
  await waitFor(() => readCommandLine(pid) === '/bin/sleep 60');
  return pid;
}

describeWithCgroups('a launch in a cgroup of its own', () => {
  test('loses nobody, not even a daemon that nothing else ties to it', async () => {
    const pid = await startHiddenDaemon();
    const { identity, cgroup } = launch as GatedLaunch;
    expect(listCgroup(cgroup as string)).toEqual(new Set([identity.pid, pid, expect.any(Number)]));
    expect((await stopTree({ identity, cgroup, graceMs: 2000 })).outcome).toBe('terminated');
    expect(isAlive(pid)).toBe(false);
    expect(fs.existsSync(cgroup as string)).toBe(false);
  });

  test('would lose it otherwise: this is what the cgroup is for', async () => {
    const pid = await startHiddenDaemon();
    const { identity } = launch as GatedLaunch;
    await stopTree({ identity, graceMs: 2000 });
    expect(isAlive(pid)).toBe(true);
  });

  test('is killed as a whole, cgroups below included', async () => {
    const { identity, cgroup, release, exited } = await gate(fixturePath('keeps-forking.sh'));
    await release();
    const below = path.join(cgroup as string, 'below');
    fs.mkdirSync(below);
    await waitFor(() => listCgroup(cgroup as string).size > 5);
    const [, child] = [...listCgroup(cgroup as string)];
    fs.writeFileSync(path.join(below, 'cgroup.procs'), String(child));
    expect(listCgroup(cgroup as string).has(child as number)).toBe(true);
    expect((await stopTree({ identity, cgroup, graceMs: 0 })).outcome).toBe('killed');
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(fs.existsSync(cgroup as string)).toBe(false);
  });

  test('leaves no cgroup behind when it is abandoned', async () => {
    const { cgroup, abandon } = await gate('-c', 'sleep 60');
    expect(fs.existsSync(cgroup as string)).toBe(true);
    await abandon();
    expect(fs.existsSync(cgroup as string)).toBe(false);
  });
});

describe('a cgroup that is not a launch’s', () => {
  test.each(['/', '/sys/fs/cgroup', '/sys/fs/cgroup/system.slice', '/no/such/greenroom-x'])(
    '%s is not killed',
    (it) => {
      expect(killCgroup(it)).toBe(false);
    },
  );

  test('is not made where none can be', () => {
    expect(enterCgroup('/no/such/folder', 'launch', process.pid)).toBeUndefined();
    expect(enterCgroup(home, '../escape', process.pid)).toBeUndefined();
    expect(fs.readdirSync(home)).toEqual([]);
  });
});
