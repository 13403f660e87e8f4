import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  makeTempDir,
  type RunningProcess,
  startStack,
  type TempDir,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { doneSince, totalsOf } from './support/counts.js';
import { startSecondSpawner } from './support/second-spawner.js';
import { endSession, sessionOf, startReady, startSession, waitForStatus } from './support/sessions.js';

const PROFILES = `profiles:
  default:
    command: ${agent('ready-then-waits.sh')}
  sales:
    command: ${agent('ready-then-waits.sh')}
    pool: 2
`;

let folder: TempDir;
let stack: TestStack;
let second: RunningProcess;

/** Two hosts with a place for one process each. */
beforeAll(async () => {
  folder = await makeTempDir('profiles');
  const file = path.join(folder.path, 'profiles.yaml');
  writeFileSync(file, PROFILES);
  stack = await startStack({ env: { PROFILES_FILE: file, HOST_CAPACITY: '1', DRAIN_TIMEOUT: '0' } });
  second = await startSecondSpawner(stack);
});
afterAll(async () => {
  await second.stop();
  await stack.stop();
  await folder.remove();
});

async function salesPool(): Promise<number> {
  return Number(await stack.redis.command('SCARD', 'pool:sales:ready'));
}

/** Processes that each host has. */
function loads() {
  const hosts = ['test-host', 'second-host'];
  return Promise.all(
    hosts.map(async (host) => Number(await stack.redis.command('SCARD', `host:${host}:sessions`))),
  );
}

test('warm agents of another profile make room, one for each caller, on whichever host; then callers wait in line', async () => {
  await waitFor(async () => (await salesPool()) === 2, { timeoutMs: 20_000 });
  const before = await totalsOf(stack);
  const first = await startReady(stack);
  expect([await salesPool(), await loads()]).toEqual([1, [1, 1]]);
  expect(await doneSince(stack, before)).toMatchObject({ total_ended: 1 });
  const next = await startReady(stack);
  expect([await salesPool(), await loads()]).toEqual([0, [1, 1]]);
  const hosts = await Promise.all([first, next].map(async (id) => (await sessionOf(stack, id)).host));
  expect(new Set(hosts).size).toBe(2);

  const waiting = await startSession(stack);
  expect(await sessionOf(stack, waiting)).toMatchObject({ status: 'queued', position: 1 });
  await endSession(stack, first);
  await waitForStatus(stack, waiting, 'ready');
  // The pool has its place back when no caller needs it.
  expect([await salesPool(), await loads()]).toEqual([0, [1, 1]]);
  await endSession(stack, next);
  await waitFor(async () => (await salesPool()) === 1);
  await endSession(stack, waiting);
});
