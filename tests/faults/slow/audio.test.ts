import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { longestGap, startListeners } from '../../support/listeners.js';
import { endSession, sessionOf, waitForStatus } from '../../support/sessions.js';

const CALLS = 20;
const CONTROL_MS = 8_000;
const FAULT_MS = 10_000;
/** How much longer than undisturbed a gap may get. */
const TOLERANCE_MS = 200;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ agentCommand: agent('plays-a-tone.mjs') });
});
afterAll(() => stack.stop());

async function startCall() {
  return (await stack.request('POST', '/api/session/start', {})).body;
}

async function processOf(sessionId: string) {
  const { agentPid, status, restarts } = await sessionOf(stack, sessionId);
  return { agentPid, status, restarts, startTime: readProcess(agentPid)?.startTime };
}

test('the sound of 20 calls goes on through kill -9 and restart of the spawner and the api', async () => {
  const calls = await Promise.all(Array.from({ length: CALLS }, startCall));
  const ids = calls.map(({ sessionId }) => sessionId);
  await Promise.all(ids.map((id) => waitForStatus(stack, id, 'ready', 60_000)));
  const listeners = await startListeners(stack, calls);
  await sleep(2000);
  const before = await Promise.all(ids.map(processOf));

  const controlFrom = Date.now();
  await sleep(CONTROL_MS);
  const faultFrom = Date.now();
  await Promise.all([stack.spawner.kill(), stack.api.kill()]);
  await sleep(1000);
  await Promise.all([stack.startSpawner(), stack.startApi()]);
  await sleep(Math.max(0, faultFrom + FAULT_MS - Date.now()));

  expect(await Promise.all(ids.map(processOf))).toEqual(before);
  const gaps = await listeners.hangUp();
  const control = longestGap(gaps, controlFrom, faultFrom);
  const disturbed = longestGap(gaps, faultFrom, Date.now());
  console.info(
    `longest gap of ${gaps.length} callers: ${control} ms undisturbed, ${disturbed} ms through the restarts`,
  );
  expect(gaps).toHaveLength(CALLS);
  // A control that is itself broken would excuse everything.
  expect(control).toBeLessThan(500);
  expect(disturbed).toBeLessThanOrEqual(control + TOLERANCE_MS);

  await Promise.all(ids.map((id) => endSession(stack, id)));
  await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
  await waitFor(() => stack.agentProcesses().length === 0);
}, 120_000);
