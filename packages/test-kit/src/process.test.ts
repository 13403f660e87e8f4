import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { groupMembers, isAlive, readProcess } from './process-facts.js';
import { type RunningProcess, startProcess } from './process.js';
import { waitFor } from './wait-for.js';

let running: RunningProcess | undefined;
afterEach(async () => {
  await running?.stop({ signal: 'SIGKILL' });
});

const shell = (script: string) => ({ command: '/bin/sh', args: ['-c', script] });

test('a process leads a group and a session of its own', async () => {
  running = await startProcess(shell('echo up; sleep 60'));
  expect(readProcess(running.pid)).toMatchObject({ pgid: running.pid, sid: running.pid });
});

test('it is ready when its line has come', async () => {
  running = await startProcess({
    ...shell('echo one; sleep 0.1; echo two; sleep 60'),
    readyWhen: { line: /^two$/ },
  });
  expect(running.output()).toBe('one\ntwo\n');
});

test('one that ends before it is ready says how and what it printed', async () => {
  const start = startProcess({
    ...shell('echo bad luck >&2; exit 3'),
    name: 'unlucky',
    readyWhen: { line: /never/ },
  });
  await expect(start).rejects.toThrow(/unlucky did not start.*bad luck/s);
});

test('a line is waited for no longer than the process lives, and what it printed last is found and told', async () => {
  running = await startProcess({
    ...shell('sleep 0.2; echo bad luck >&2; echo last; exit 3'),
    name: 'unlucky',
  });
  const startedAt = performance.now();
  const never = running.waitForLine(/never/, 30_000);
  await expect(never).rejects.toThrow(/unlucky ended with exit code 3 .*bad luck/s);
  expect(performance.now() - startedAt).toBeLessThan(3000);
  expect(await running.waitForLine(/^last$/)).toBe('last');
});

test('a program that does not exist is an error, not a hang', async () => {
  await expect(startProcess({ command: '/nowhere/program' })).rejects.toThrow(/ENOENT/);
  await expect(startProcess({ command: '/nowhere/program', readyWhen: { line: /x/ } })).rejects.toThrow(
    /ENOENT/,
  );
});

test('stop kills what ignores SIGTERM, and its children', async () => {
  running = await startProcess({
    ...shell('trap "" TERM; sleep 60 & echo up; wait; wait; sleep 60'),
    readyWhen: { line: /up/ },
  });
  await waitFor(() => groupMembers(running?.pid ?? 0).length === 2);
  expect(await running.stop({ graceMs: 100 })).toEqual({ code: null, signal: 'SIGKILL' });
  expect(groupMembers(running.pid)).toEqual([]);
});

test('a test run that is killed leaves neither processes nor directories', async () => {
  const fixture = fileURLToPath(new URL('../fixtures/holds-redis.mjs', import.meta.url));
  running = await startProcess({ command: process.execPath, args: [fixture], readyWhen: { line: /^\{/ } });
  const left = JSON.parse(running.output().trim()) as { redis: number; escapee: number; dir: string };
  expect([isAlive(left.redis), isAlive(left.escapee), existsSync(left.dir)]).toEqual([true, true, true]);
  await running.kill();
  await waitFor(() => !isAlive(left.redis) && !isAlive(left.escapee) && !existsSync(left.dir));
});
