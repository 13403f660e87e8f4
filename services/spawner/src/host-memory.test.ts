import fs from 'node:fs';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@greenroom/test-kit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HostMemory } from './host-memory.js';

const MIB = 1024 * 1024;
let root: TempDir;
beforeEach(async () => {
  root = await makeTempDir('memory');
});
afterEach(() => root.remove());

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root.path, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
}

const machine = (freeMib: number) => ({
  'proc/meminfo': `MemTotal: 99 kB\nMemAvailable:   ${freeMib * 1024} kB\n`,
});

test('of a plain machine it is what the kernel calls available', () => {
  write({ ...machine(700), 'sys/fs/cgroup/memory.stat': 'inactive_file 5\n' });
  const memory = new HostMemory(800, root.path);
  expect([memory.freeBytes(), memory.isShort()]).toEqual([700 * MIB, true]);
  expect(new HostMemory(600, root.path).isShort()).toBe(false);
});

test('of a container it is what its limit leaves; what is only cached counts as free', () => {
  const used = (bytes: number) => ({ 'sys/fs/cgroup/memory.current': `${bytes}\n` });
  write({
    ...machine(7000),
    'sys/fs/cgroup/memory.max': `${500 * MIB}\n`,
    'sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${100 * MIB}\nactive_file 3\n`,
    ...used(450 * MIB),
  });
  const memory = new HostMemory(200, root.path);
  expect([memory.freeBytes(), memory.isShort()]).toEqual([150 * MIB, true]);
  write(used(700 * MIB));
  expect(memory.freeBytes()).toBe(0);
  write({ 'sys/fs/cgroup/memory.max': 'max\n' });
  expect(memory.isShort()).toBe(false);
});

test('of a container under cgroup v1 too; a limit that is none does not matter', () => {
  write({
    ...machine(7000),
    'sys/fs/cgroup/memory/memory.limit_in_bytes': `${300 * MIB}\n`,
    'sys/fs/cgroup/memory/memory.usage_in_bytes': `${290 * MIB}\n`,
    'sys/fs/cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${20 * MIB}\n`,
  });
  expect(new HostMemory(0, root.path).freeBytes()).toBe(30 * MIB);
  write({ 'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' });
  expect(new HostMemory(0, root.path).freeBytes()).toBe(7000 * MIB);
});

test('what cannot be read is no shortage, and 0 is no limit', () => {
  expect(new HostMemory(100, root.path).isShort()).toBe(false);
  write(machine(0));
  expect(new HostMemory(100, root.path).isShort()).toBe(true);
  expect(new HostMemory(0, root.path).isShort()).toBe(false);
});
