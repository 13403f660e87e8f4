import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isAlive, readProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { endSession, sessionOf, startReady, waitForStatus } from '../support/sessions.js';

const CALLS = 20;
const ADOPTED_WITHIN_MS = 5000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ agentCommand: agent('counts-slowly.sh'), env: { SPAWN_CONCURRENCY: '10' } });
});
afterAll(() => stack.stop());

async function processOf(sessionId: string) {
  const { agentPid, status, generation } = await sessionOf(stack, sessionId);
  return {
    agentPid,
    status,
    generation,
    startTime: readProcess(agentPid)?.startTime,
    isAlive: isAlive(agentPid),
  };
}

async function numbersOf(sessionId: string): Promise<number[]> {
  const { body } = await stack.request('GET', `/api/session/${sessionId}/logs?tail=200`);
  return (body.lines as string[]).flatMap((line) => /^line (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

test('killed with 20 calls: the same processes, adopted within 5 s, no line of theirs lost or doubled', async () => {
  const ids = await Promise.all(Array.from({ length: CALLS }, () => startReady(stack, {}, 25_000)));
  const before = await Promise.all(ids.map(processOf));
  expect(before.every((it) => it.isAlive && it.status === 'ready')).toBe(true);
  await stack.spawner.kill();
  await sleep(2000);

  const startedAt = performance.now();
  await stack.startSpawner();
  // It says that it is ready only when it has adopted all.
  expect(performance.now() - startedAt).toBeLessThan(ADOPTED_WITHIN_MS);
  expect(stack.logs()).toMatch(new RegExp(`"adopted":${CALLS}`));
  expect(await Promise.all(ids.map(processOf))).toEqual(before);

  const printed = await Promise.all(ids.map(async (id) => (await numbersOf(id)).at(-1) ?? 0));
  await waitFor(async () => {
    const now = await Promise.all(ids.map(numbersOf));
    return now.every((numbers, i) => (numbers.at(-1) ?? 0) > (printed[i] ?? 0) + 5);
  });
  for (const numbers of await Promise.all(ids.map(numbersOf))) {
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  }
  await Promise.all(ids.map((id) => endSession(stack, id)));
  await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
  await waitFor(() => stack.agentProcesses().length === 0);
}, 60_000);
