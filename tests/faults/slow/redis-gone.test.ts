import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isAlive, readProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import {
  endSession,
  keysOf,
  sessionOf,
  startReady,
  waitForPool,
  waitForStatus,
} from '../../support/sessions.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('counts-slowly.sh'),
    redis: { persistent: true, config: { appendfsync: 'always' } },
    env: { POOL_TARGET: '1' },
  });
});
afterAll(() => stack.stop());

async function processOf(sessionId: string) {
  const { agentPid, status, restarts } = await sessionOf(stack, sessionId);
  return { agentPid, status, restarts, startTime: readProcess(agentPid)?.startTime };
}

test('Redis is gone for 30 s: calls go on, requests are refused at once, and with it all comes back', async () => {
  await waitForPool(stack, 1);
  const call = await startReady(stack);
  const dying = await startReady(stack, {}, 15_000);
  const before = await processOf(call);
  const { agentPid } = await sessionOf(stack, dying);
  await stack.redis.kill();
  const goneAt = performance.now();
  process.kill(agentPid, 'SIGKILL');
  while (performance.now() - goneAt < 30_000) {
    const askedAt = performance.now();
    expect((await stack.request('POST', '/api/session/start', {})).body.code).toBe('redis_unavailable');
    expect(performance.now() - askedAt).toBeLessThan(1000);
    expect(isAlive(before.agentPid)).toBe(true);
    await sleep(1000);
  }
  await stack.redis.restart();
  await waitFor(async () => (await stack.request('GET', '/readyz')).status === 200);
  expect(await processOf(call)).toEqual(before);
  // What happened while nobody could write it down is written now.
  await waitForStatus(stack, dying, 404, 10_000);
  // It might have lost something: starts wait until the hosts have told what they have.
  const { body } = await waitFor(
    async () => {
      const answer = await stack.request('POST', '/api/session/start', {});
      return answer.status < 300 && answer;
    },
    { timeoutMs: 15_000 },
  );
  const next: string = body.sessionId;
  await waitForStatus(stack, next, 'ready', 15_000);
  for (const id of [call, next]) {
    expect((await endSession(stack, id)).status).toBe(202);
    await waitForStatus(stack, id, 404);
    expect(await keysOf(stack, id)).toEqual([]);
  }
}, 90_000);
