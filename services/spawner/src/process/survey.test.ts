import { spawn } from 'node:child_process';
import { waitFor } from '@greenroom/test-kit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { awaitAdoptedExit } from './await-exit.js';
import { cleanUpFixtures, gateFixture, runFixture } from './fixtures/launch-fixture.js';
import { readIdentity } from './identity.js';
import { scanProcesses } from './scan.js';
import { countZombieOrphans, measureTree, surveyAgent, withLaunchCookie } from './survey.js';
import { descendantsOf, membersOfGroup } from './tree.js';

afterEach(cleanUpFixtures);

describe('a survey of an agent', () => {
  test('shows its whole tree, the first process included', async () => {
    const { identity, folder } = await runFixture('ignores-sigterm.sh');
    const sleeps = async () =>
      (await surveyAgent(identity)).child_processes.filter((it) => it.cmd === 'sleep 60');
    await waitFor(async () => (await sleeps()).length === 3);
    const seen = await surveyAgent(identity);
    expect(seen).toMatchObject({
      pid: identity.pid,
      pgid: identity.pid,
      is_group_leader: true,
      is_process_alive: true,
      is_group_alive: true,
      errors: [],
    });
    expect(folder).not.toBe('');
    const leader = seen.child_processes.find((it) => it.pid === identity.pid);
    expect(leader?.cmd).toContain('ignores-sigterm.sh');
    expect(leader?.ppid).toBe(process.pid);
    const others = seen.child_processes.filter((it) => it.pid !== identity.pid);
    expect(others.map((it) => it.cmd)).toEqual(['sleep 60', 'sleep 60', 'sleep 60']);
    expect(others.filter((it) => it.pgid === identity.pgid)).toHaveLength(2);
  });

  test('of one that is gone says so without failing', async () => {
    const { identity, release, exited } = await gateFixture('exits-at-once.sh');
    await release();
    await exited;
    expect(await surveyAgent(identity)).toEqual({
      pid: identity.pid,
      pgid: identity.pid,
      is_group_leader: true,
      is_process_alive: false,
      is_group_alive: false,
      child_processes: [],
      errors: [],
    });
  });

  test('of a group that has outlived its leader', async () => {
    const { identity, release, exited } = await gateFixture('forks-and-exits.sh');
    await release();
    await exited;
    const seen = await surveyAgent(identity);
    expect(seen).toMatchObject({ is_process_alive: false, is_group_alive: true });
    expect(seen.child_processes).toHaveLength(1);
  });

  test('whose pid is somebody else’s now', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const seen = await surveyAgent({ ...identity, startTime: '1', launchId: 'another' });
    expect(seen).toMatchObject({ is_process_alive: false, is_group_alive: false, child_processes: [] });
    expect(seen.errors).toEqual([`pid ${identity.pid} belongs to another process now`]);
  });
});

describe('a scan', () => {
  test('knows groups, descendants and launches', async () => {
    const { identity } = await runFixture('ignores-sigterm.sh');
    await waitFor(async () => {
      const members = await withLaunchCookie(identity.launchId);
      return members.length === 4 && members.filter((it) => it.pgid === identity.pgid).length === 3;
    });
    const table = await scanProcesses();
    expect(table.isComplete).toBe(true);
    expect(descendantsOf(table, identity.pid)).toHaveLength(3);
    expect(descendantsOf(table, process.pid).map((it) => it.pid)).toContain(identity.pid);
    expect(membersOfGroup(table, identity.pgid)).toHaveLength(3);
    expect(table.entries.get(process.pid)).toMatchObject({ ppid: process.ppid, hasEnded: false });
  });

  test('measures what a tree uses', async () => {
    const { identity } = await runFixture('sh', '-c', 'sleep 20 & echo started; while :; do :; done');
    await waitFor(async () => measureTree(await scanProcesses(), identity).cpuSeconds > 0.1);
    const usage = measureTree(await scanProcesses(), identity);
    expect(usage.processCount).toBe(2);
    expect(usage.rssBytes).toBeGreaterThan(500_000);
    expect(usage.rssBytes).toBeLessThan(50_000_000);
  });

  test('does not count a zombie that is our own child, since Node will reap it', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const { entries, isComplete } = await scanProcesses();
    const ours = entries.get(identity.pid);
    if (ours === undefined) throw new Error('not started');
    // As it is seen for a moment between its end and the reaping.
    const asZombie = new Map(entries).set(identity.pid, { ...ours, state: 'Z', hasEnded: true });
    expect(countZombieOrphans({ isComplete, entries: asZombie })).toBe(0);
  });

  test('counts zombies that were handed to us', async () => {
    const { identity } = await runFixture('sh', '-c', 'sleep 0.1 & echo started; exec sleep 20');
    await waitFor(async () => {
      const { entries } = await scanProcesses();
      return [...entries.values()].some((it) => it.ppid === identity.pid && it.state === 'Z');
    });
    const { entries, isComplete } = await scanProcesses();
    // As if we were the parent to which it was handed: a test cannot make itself a subreaper.
    const handed = [...entries].map(([pid, it]) => [
      pid,
      it.ppid === identity.pid ? { ...it, ppid: process.pid } : it,
    ]);
    expect(countZombieOrphans({ isComplete, entries: new Map(handed as [number, never][]) })).toBe(1);
  });
});

describe('watching an adopted process', () => {
  test('ends when the process does', async () => {
    const child = spawn('sleep', ['20'], { detached: true, stdio: 'ignore' });
    const identity = readIdentity(child.pid as number, 'adopted');
    if (identity === undefined) throw new Error('not started');
    const ended = awaitAdoptedExit(identity, { pollMs: 20 });
    expect(
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100, 'still there'))]),
    ).toBe('still there');
    child.kill('SIGKILL');
    expect(await ended).toEqual({ code: null, signal: null });
  });

  test('takes what it cannot judge for alive, and can be given up', async () => {
    const { identity } = await runFixture('leaves-on-sigterm.sh');
    const watch = new AbortController();
    const ended = awaitAdoptedExit({ ...identity, pidNamespace: '1' }, { pollMs: 20, signal: watch.signal });
    setTimeout(() => watch.abort(), 60);
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  });
});
