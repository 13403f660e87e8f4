import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keepersOf, prepareLimits, ranOutOfMemory, writeLimits } from './agent-limits.js';

const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 512 * MIB, processes: 64 };
const NONE = { memoryBytes: undefined, processes: undefined };

/** A tree of files as cgroup v2 shows it: few machines that run tests let them use the memory and pids controllers. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'greenroom-limits-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function put(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(root, name), text);
}

function read(name: string): string {
  return fs.readFileSync(path.join(root, name), 'utf8');
}

describe('who holds a limit', () => {
  test('the kernel, where its controllers are already on for the cgroups below', () => {
    put({ 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': 'memory pids\n' });
    expect(prepareLimits(root, LIMITS)).toEqual({ memory: 'cgroup', processes: 'cgroup' });
    expect(read('cgroup.subtree_control')).toBe('memory pids\n');
  });

  test('the kernel, where they can be turned on', () => {
    put({ 'cgroup.controllers': 'cpu memory\n', 'cgroup.subtree_control': '\n' });
    expect(prepareLimits(root, LIMITS)).toEqual({ memory: 'cgroup', processes: 'watch' });
    expect(read('cgroup.subtree_control')).toBe('+memory');
  });

  test('our watch, where there are no cgroups or no controllers', () => {
    expect(prepareLimits(undefined, LIMITS)).toEqual({ memory: 'watch', processes: 'watch' });
    put({ 'cgroup.controllers': 'hugetlb\n', 'cgroup.subtree_control': '\n' });
    expect(prepareLimits(root, LIMITS)).toEqual({ memory: 'watch', processes: 'watch' });
  });

  test('our watch, where the kernel refuses to turn them on', () => {
    put({ 'cgroup.controllers': 'memory pids\n' });
    fs.mkdirSync(path.join(root, 'cgroup.subtree_control'));
    expect(prepareLimits(root, LIMITS)).toEqual({ memory: 'watch', processes: 'watch' });
  });

  test('nobody, where there is no limit', () => {
    put({ 'cgroup.controllers': 'memory pids\n', 'cgroup.subtree_control': '\n' });
    expect(prepareLimits(root, NONE)).toEqual({ memory: 'none', processes: 'none' });
    expect(read('cgroup.subtree_control')).toBe('\n');
  });
});

describe('the cgroup of a launch', () => {
  test('gets both limits, no swap, and goes as a whole', () => {
    put({
      'memory.max': 'max\n',
      'memory.swap.max': 'max\n',
      'memory.oom.group': '0\n',
      'pids.max': 'max\n',
    });
    writeLimits(root, LIMITS);
    expect(read('memory.max')).toBe(String(512 * MIB));
    expect(read('memory.swap.max')).toBe('0');
    expect(read('memory.oom.group')).toBe('1');
    expect(read('pids.max')).toBe('64');
    expect(keepersOf(root, LIMITS)).toEqual({ memory: 'cgroup', processes: 'cgroup' });
  });

  test('without the controllers holds nothing, and no file is made', () => {
    writeLimits(root, LIMITS);
    expect(fs.readdirSync(root)).toEqual([]);
    expect(keepersOf(root, LIMITS)).toEqual({ memory: 'watch', processes: 'watch' });
    expect(keepersOf(undefined, LIMITS)).toEqual({ memory: 'watch', processes: 'watch' });
    expect(keepersOf(root, NONE)).toEqual({ memory: 'none', processes: 'none' });
  });

  test('that says max holds nothing', () => {
    put({ 'memory.max': 'max\n', 'pids.max': '64\n' });
    expect(keepersOf(root, LIMITS)).toEqual({ memory: 'watch', processes: 'cgroup' });
  });

  test('tells whether the kernel has killed for memory', () => {
    put({ 'memory.events': 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\noom_group_kill 0\n' });
    expect(ranOutOfMemory(root)).toBe(false);
    put({ 'memory.events': 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n' });
    expect(ranOutOfMemory(root)).toBe(true);
    expect(ranOutOfMemory(undefined)).toBe(false);
  });
});
