import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { isAlive, readCommandLine, waitFor } from '@greenroom/test-kit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUpFixtures, gateFixture, runFixture } from './fixtures/launch-fixture.js';
import { type ProcessIdentity, readIdentity } from './identity.js';
import { scanProcesses } from './scan.js';
import { stopTree } from './stop.js';
import { rememberDescendants, surveyAgent, withLaunchCookie } from './survey.js';
import { membersOfGroup } from './tree.js';

afterEach(cleanUpFixtures);

async function treeOf(identity: ProcessIdentity, count: number): Promise<number[]> {
  const pids = async () => (await surveyAgent(identity)).child_processes.map((it) => it.pid);
  await waitFor(async () => (await pids()).length === count);
  return pids();
}

describe('stopping a tree', () => {
  test('lets it leave, and returns as soon as it has', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const pids = await treeOf(identity, 3);
    const result = await stopTree({ identity, graceMs: 10_000 });
    expect(result).toMatchObject({ outcome: 'terminated', survivors: [] });
    expect(result.durationMs).toBeLessThan(1000);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('kills what ignores SIGTERM at the end of the grace', async () => {
    const { identity, exited } = await runFixture('ignores-sigterm.sh');
    const pids = await treeOf(identity, 4);
    const result = await stopTree({ identity, graceMs: 500 });
    expect(result.outcome).toBe('killed');
    expect(result.durationMs).toBeGreaterThanOrEqual(500);
    expect(result.durationMs).toBeLessThan(1500);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('succeeds when nothing is left of it', async () => {
    const { identity, release, exited } = await gateFixture('exits-at-once.sh');
    await release();
    await exited;
    expect((await stopTree({ identity, graceMs: 2000 })).outcome).toBe('already_gone');
  });

  test('wakes a stopped process so that it can act on SIGTERM', async () => {
    const { identity } = await runFixture('stopped.sh');
    expect((await stopTree({ identity, graceMs: 5000 })).outcome).toBe('terminated');
  });

  test('gives no grace where there is none to give', async () => {
    const { identity } = await runFixture('ignores-sigterm.sh');
    const result = await stopTree({ identity, graceMs: 0 });
    expect(result.outcome).toBe('killed');
    expect(result.durationMs).toBeLessThan(500);
  });

  test('can be hurried', async () => {
    const { identity } = await runFixture('ignores-sigterm.sh');
    const hurry = new AbortController();
    const stopping = stopTree({ identity, graceMs: 20_000, signal: hurry.signal });
    await setTimeout(100);
    hurry.abort();
    const result = await stopping;
    expect(result.outcome).toBe('killed');
    expect(result.durationMs).toBeLessThan(1500);
  });

  test('ends a shell that still waits at the gate', async () => {
    const { identity, readLog } = await gateFixture('sh', '-c', 'echo ran');
    expect((await stopTree({ identity, graceMs: 2000 })).outcome).toBe('terminated');
    expect(await readLog()).toBe('');
  });

  test('catches what forks while it is being killed', async () => {
    const { identity } = await runFixture('keeps-forking.sh');
    await setTimeout(300);
    const result = await stopTree({ identity, graceMs: 300 });
    expect(result.outcome).toBe('killed');
    expect(await withLaunchCookie(identity.launchId)).toEqual([]);
  });
});

describe('what escaped', () => {
  test('a child in its own session is killed within the grace though its parent died at once', async () => {
    const { identity } = await runFixture('setsid-escapee.sh');
    const pids = await treeOf(identity, 5);
    const result = await stopTree({ identity, graceMs: 600 });
    expect(result.outcome).toBe('killed');
    expect(result.durationMs).toBeLessThan(1600);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('a daemon is found by its environment', async () => {
    const { identity, awaitLine } = await runFixture('double-fork.sh');
    const daemon = Number((await awaitLine(/daemon (\d+)/))[1]);
    await waitFor(() => isOrphan(daemon));
    expect((await stopTree({ identity, graceMs: 2000 })).outcome).toBe('terminated');
    expect(isAlive(daemon)).toBe(false);
  });

  test('a daemon is found by its environment even when the agent is long gone', async () => {
    const { identity, awaitLine, exited } = await runFixture('double-fork.sh');
    const daemon = Number((await awaitLine(/daemon (\d+)/))[1]);
    await waitFor(() => isOrphan(daemon));
    process.kill(identity.pid, 'SIGKILL');
    await exited;
    expect((await stopTree({ identity, graceMs: 2000 })).outcome).toBe('terminated');
    expect(isAlive(daemon)).toBe(false);
  });

  test('a child that outlived its group leader is stopped by itself', async () => {
    const { identity, release, exited, awaitLine } = await gateFixture('forks-and-exits.sh');
    await release();
    await exited;
    const child = Number((await awaitLine(/child (\d+)/))[1]);
    expect(membersOfGroup(await scanProcesses(), identity.pgid).map((it) => it.pid)).toEqual([child]);
    expect((await stopTree({ identity, graceMs: 2000 })).outcome).toBe('terminated');
    expect(isAlive(child)).toBe(false);
  });

  test('an orphan without our environment is stopped because it was seen before', async () => {
    const marker = path.join(fs.mkdtempSync('/tmp/greenroom-orphan-'), 'parent-may-go');
    const { identity, awaitLine } = await runFixture('wiped-environment.sh', marker);
    const helper = Number((await awaitLine(/helper (\d+)/))[1]);
    await waitFor(() => readCommandLine(helper) === '/bin/sleep 60');
    const remembered = rememberDescendants(await scanProcesses(), identity);
    expect(remembered.map((it) => it.pid)).toContain(helper);
    fs.writeFileSync(marker, '');
    await waitFor(() => isOrphan(helper));
    fs.rmSync(path.dirname(marker), { recursive: true });
    expect((await surveyAgent(identity)).child_processes.map((it) => it.pid)).not.toContain(helper);
    expect((await stopTree({ identity, graceMs: 2000, remembered })).outcome).toBe('terminated');
    expect(isAlive(helper)).toBe(false);
  });
});

describe('what must not be hit', () => {
  test('a process that has got the pid of a remembered one', async () => {
    const bystander = await runFixture('leaves-on-sigterm.sh');
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const remembered = [
      { pid: bystander.identity.pid, startTime: `${Number(bystander.identity.startTime) - 1}` },
    ];
    await stopTree({ identity, graceMs: 2000, remembered });
    expect(isAlive(bystander.identity.pid)).toBe(true);
  });

  test.each([-1, 1])('a process that has got the pid of the agent (start time off by %i)', async (ticks) => {
    const bystander = await runFixture('leaves-on-sigterm.sh');
    const startTime = `${Number(bystander.identity.startTime) + ticks}`;
    const identity = { ...bystander.identity, startTime, launchId: 'another-launch' };
    expect((await stopTree({ identity, graceMs: 100 })).outcome).toBe('already_gone');
    expect(isAlive(bystander.identity.pid)).toBe(true);
    expect((await surveyAgent(bystander.identity)).child_processes).toHaveLength(3);
  });

  test('a stranger without any launch id that leads a group of the same number', async () => {
    const stranger = spawn('sleep', ['20'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid as number;
    const identity = { ...readIdentity(pid, 'ours'), startTime: '1' } as ProcessIdentity;
    expect((await stopTree({ identity, graceMs: 100 })).outcome).toBe('already_gone');
    expect(isAlive(pid)).toBe(true);
    stranger.kill('SIGKILL');
  });

  test('strangers in a group whose number has come back', async () => {
    // The bystander's leader has gone; its child carries another launch id, which tells it from ours.
    const bystander = await gateFixture('forks-and-exits.sh');
    await bystander.release();
    await bystander.exited;
    const child = Number((await bystander.awaitLine(/child (\d+)/))[1]);
    const identity = { ...bystander.identity, startTime: '1', launchId: 'another-launch' };
    expect((await stopTree({ identity, graceMs: 100 })).outcome).toBe('already_gone');
    expect(isAlive(child)).toBe(true);
  });

  test('anything of an earlier boot', async () => {
    const bystander = await runFixture('leaves-on-sigterm.sh');
    const identity = { ...bystander.identity, bootId: 'another-boot' };
    expect((await stopTree({ identity, graceMs: 100 })).outcome).toBe('already_gone');
    expect(isAlive(bystander.identity.pid)).toBe(true);
  });

  test('another agent, while its neighbour is stopped', async () => {
    const [one, two] = await Promise.all([
      runFixture('ignores-sigterm.sh'),
      runFixture('ignores-sigterm.sh'),
    ]);
    const kept = await treeOf(two.identity, 4);
    await stopTree({ identity: one.identity, graceMs: 0 });
    expect(kept.every(isAlive)).toBe(true);
  });

  test.each([
    ['pid 1', { pid: 1, pgid: 1 }],
    ['group 0', { pid: 4_000_000, pgid: 0 }],
    ['group -1', { pid: 4_000_000, pgid: -1 }],
    ['no number', { pid: Number.NaN, pgid: Number.NaN }],
    ['null', { pid: null as unknown as number, pgid: null as unknown as number }],
    ['ourselves', { pid: process.pid, pgid: process.pid }],
  ])('%s: refused', async (_name, over) => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const asked = stopTree({ identity: { ...identity, ...over }, graceMs: 0 });
    await expect(asked).rejects.toMatchObject({ name: 'UnsafeTargetError' });
  });

  test('a grace that is no number: refused, since it would never end', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    await expect(stopTree({ identity, graceMs: Number.NaN })).rejects.toThrow(RangeError);
  });
});

describe('many at once', () => {
  test('20 trees that ignore SIGTERM, with children in other sessions, go within grace + 1 s', async () => {
    const graceMs = 2000;
    const launches = await Promise.all(Array.from({ length: 20 }, () => runFixture('ignores-sigterm.sh')));
    const trees = await Promise.all(launches.map(({ identity }) => treeOf(identity, 4)));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const startedAt = performance.now();
    const results = await Promise.all(launches.map(({ identity }) => stopTree({ identity, graceMs })));
    const tookMs = performance.now() - startedAt;
    delay.disable();
    expect(results.map((it) => it.outcome)).toEqual(launches.map(() => 'killed'));
    expect(trees.flat()).toHaveLength(80);
    expect(trees.flat().filter(isAlive)).toEqual([]);
    expect(tookMs).toBeLessThan(graceMs + 1000);
    // Not the longest one: on a busy machine that measures the machine.
    expect(delay.percentile(99) / 1e6).toBeLessThan(100);
  });

  test('share their scans', async () => {
    const [one, two, three] = [scanProcesses(), scanProcesses(), scanProcesses()];
    expect(await two).toBe(await one);
    expect(await three).toBe(await one);
    expect(await scanProcesses()).not.toBe(await one);
  });
});

function isOrphan(pid: number): boolean {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === 1;
}
