import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, readProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { doneSince, liveSessions, totalsOf } from '../support/counts.js';
import { endSession, health, keysOf, sessionOf, startReady, waitForStatus } from '../support/sessions.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { HEALTH_CHECK_INTERVAL: '1' },
  });
});
afterAll(() => stack.stop());

async function processOf(sessionId: string) {
  const { agentPid, status, generation, restarts } = await sessionOf(stack, sessionId);
  return { agentPid, status, generation, restarts, startTime: readProcess(agentPid)?.startTime };
}

async function timed<T>(work: Promise<T>): Promise<{ answer: T; tookMs: number }> {
  const startedAt = performance.now();
  const answer = await work;
  return { answer, tookMs: performance.now() - startedAt };
}

async function endAndForget(sessionId: string): Promise<void> {
  expect((await endSession(stack, sessionId)).status).toBe(202);
  await waitForStatus(stack, sessionId, 404);
  expect(await keysOf(stack, sessionId)).toEqual([]);
}

describe('Redis hangs for 10 s', () => {
  test('calls go on, every request is answered within a second, and afterwards all is as before', async () => {
    const calls = await Promise.all([startReady(stack), startReady(stack)]);
    const before = await Promise.all(calls.map(processOf));
    const totals = await totalsOf(stack);
    stack.redis.pause();
    const until = performance.now() + 10_000;
    try {
      while (performance.now() < until) {
        const asked = await Promise.all([
          timed(stack.request('POST', '/api/session/start', {})),
          timed(sessionOf(stack, calls[0] ?? '')),
          timed(endSession(stack, 'session_aaaaaaaaaaaaaaaaaaaaaaaa')),
        ]);
        expect(asked[0]?.answer.body.code).toBe('redis_unavailable');
        expect(Math.max(...asked.map(({ tookMs }) => tookMs))).toBeLessThan(1000);
        await sleep(500);
      }
      expect(before.every(({ agentPid }) => isAlive(agentPid))).toBe(true);
    } finally {
      stack.redis.resume();
    }
    await waitFor(async () => (await stack.request('GET', '/readyz')).status === 200);
    expect(await Promise.all(calls.map(processOf))).toEqual(before);
    // Nobody waits any more for the starts that were sent meanwhile: they must not be taken now.
    await sleep(1500);
    expect((await liveSessions(stack)).sort()).toEqual([...calls].sort());
    expect(await doneSince(stack, totals)).toEqual({});
    for (const call of calls) await endAndForget(call);
    await endAndForget(await startReady(stack));
  });
});

describe('Redis is full', () => {
  async function hostSeenAt(): Promise<number> {
    return Number(await stack.redis.command('HGET', 'host:test-host', 'lastSeenAt'));
  }

  async function checkedAt(sessionId: string): Promise<number> {
    return Number(await stack.redis.command('HGET', `agent:${sessionId}:health`, 'last_check'));
  }

  test('starts are refused and say why; heartbeats, renewals and ends work; with memory free all does', async () => {
    const [call, other] = await Promise.all([startReady(stack), startReady(stack)]);
    const before = await processOf(call);
    await waitFor(async () => (await checkedAt(call)) > 0);
    await stack.redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const refused = await stack.request('POST', '/api/session/start', {});
      expect([refused.status, refused.body.code]).toEqual([503, 'redis_unavailable']);
      expect(refused.body.detail).toMatch(/memory/);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const since = [await hostSeenAt(), await checkedAt(call)];
      await waitFor(
        async () => (await hostSeenAt()) > (since[0] ?? 0) && (await checkedAt(call)) > (since[1] ?? 0),
      );
      await endAndForget(other);
      expect(await processOf(call)).toEqual(before);
    } finally {
      await stack.redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    await endAndForget(await startReady(stack));
    await endAndForget(call);
    expect((await health(stack)).capacity.current).toBe(0);
    await waitFor(() => stack.agentProcesses().length === 0);
  });
});
