import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newLaunchId, openStateDir } from './state-dir.js';

let home: string;
let root: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'greenroom-state-'));
  root = path.join(home, 'not', 'yet', 'there');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const open = (hostId?: string) => openStateDir(root, { hostId, machineName: 'my box.local' });

test('the names of a host and of its launches stay over restarts, and differ from another’s', async () => {
  const first = await open();
  const again = await open();
  expect(first.hostId).toMatch(/^my-box\.local-[0-9a-f]{8}$/);
  expect(again).toMatchObject({ hostId: first.hostId, launchPrefix: first.launchPrefix });
  root = path.join(home, 'other');
  const other = await open();
  expect(other.hostId).not.toBe(first.hostId);
  expect(other.launchPrefix).not.toBe(first.launchPrefix);
});

test('HOST_ID is taken as it is', async () => {
  expect((await open('host-7')).hostId).toBe('host-7');
});

test('a name that a crash or a full disk left empty is none', async () => {
  const { launchPrefix } = await open();
  for (const name of ['host-id', 'launch-prefix']) await writeFile(path.join(root, name), '\n');
  const healed = await open();
  expect(healed.launchPrefix).toMatch(/^[0-9a-f]{16}$/);
  expect(healed.launchPrefix).not.toBe(launchPrefix);
  expect(healed.hostId).toMatch(/^my-box/);
  expect((await open()).launchPrefix).toBe(healed.launchPrefix);
  expect((await readFile(path.join(root, 'host-id'), 'utf8')).trim()).toBe(healed.hostId);
  expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('launch ids carry the prefix and never repeat', async () => {
  const state = await open();
  const ids = Array.from({ length: 100 }, () => newLaunchId(state));
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id.startsWith(`${state.launchPrefix}-`)).toBe(true);
});

test('nobody else may read what agents print or report', async () => {
  const state = await open();
  for (const folder of [root, state.agentLogs, state.events]) {
    expect([folder, (await stat(folder)).mode & 0o777]).toEqual([folder, 0o700]);
  }
  expect(state.logFile('session_x', 2)).toBe(path.join(state.agentLogs, 'session_x-g2.log'));
  expect(state.eventsFile('session_x', 2)).toBe(path.join(state.events, 'session_x-g2.jsonl'));
});
