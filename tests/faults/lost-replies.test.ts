import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { doneSince, liveSessions, totalsOf } from '../support/counts.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from '../support/sessions.js';

/** The shell and its child. */
const PROCESSES_OF_ONE = 2;
/** A step without an answer is taken again after 100 ms. */
const SECOND_TRY_MS = 500;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ agentCommand: agent('ready-then-waits.sh'), redisProxy: true });
  // Each connection knows each script from here on: a step that is sent is a step that is taken.
  await endAndForget(await startReady(stack));
});
afterAll(() => stack.stop());
afterEach(() => {
  stack.apiRedis.release();
  stack.spawnerRedis.release();
});

async function endAndForget(sessionId: string): Promise<void> {
  await waitFor(async () => (await endSession(stack, sessionId)).status !== 503);
  await waitForStatus(stack, sessionId, 404);
  await expectNothingLeft(sessionId);
}

async function expectNothingLeft(sessionId: string): Promise<void> {
  await waitFor(() => stack.agentProcesses().length === 0);
  expect(await keysOf(stack, sessionId)).toEqual([]);
  expect((await health(stack)).capacity.current).toBe(0);
}

const ONE_CALL = { total_spawned: 1, total_ready: 1, total_ended: 1 };

describe('an answer to the spawner is lost after the step was taken', () => {
  // What only this step's arguments contain.
  test.each([
    ['claim', '"hostCapacity"'],
    ['commit', '"startTime"'],
    ['mark-ready', '"startupMs"'],
    ['finish-end', '"generation":1,"life"'],
  ])('%s: one agent, one call, counted once', async (_step, text) => {
    const before = await totalsOf(stack);
    const lost = stack.spawnerRedis.loseReplyTo(text);
    const sessionId = await startReady(stack);
    // Until the step has been taken again.
    await sleep(SECOND_TRY_MS);
    expect(await sessionOf(stack, sessionId)).toMatchObject({
      status: 'ready',
      generation: 1,
      restarts: 0,
      attempts: 0,
    });
    expect(stack.agentProcesses()).toHaveLength(PROCESSES_OF_ONE);
    await endAndForget(sessionId);
    await lost;
    expect(await doneSince(stack, before)).toEqual(ONE_CALL);
  });
});

describe('an answer to the api is lost after the step was taken', () => {
  test('start: the retry with the same key gets the same session', async () => {
    const before = await totalsOf(stack);
    const headers = { 'Idempotency-Key': 'lost-start' };
    const lost = stack.apiRedis.loseReplyTo('"maxSessions"');
    const first = await stack.request('POST', '/api/session/start', {}, headers);
    await lost;
    expect([first.status, first.body.code]).toEqual([503, 'redis_unavailable']);
    const [sessionId = ''] = await liveSessions(stack);
    const retry = await waitFor(async () => {
      const answer = await stack.request('POST', '/api/session/start', {}, headers);
      return answer.status !== 503 && answer;
    });
    expect(retry.body.sessionId).toBe(sessionId);
    await waitForStatus(stack, sessionId, 'ready');
    expect(stack.agentProcesses()).toHaveLength(PROCESSES_OF_ONE);
    expect(await liveSessions(stack)).toEqual([sessionId]);
    await endAndForget(sessionId);
    expect(await doneSince(stack, before)).toEqual(ONE_CALL);
  });

  test('end: the session ends, and once', async () => {
    const sessionId = await startReady(stack);
    const before = await totalsOf(stack);
    const lost = stack.apiRedis.loseReplyTo('"reason"');
    const first = await endSession(stack, sessionId);
    await lost;
    expect([first.status, first.body.code]).toEqual([503, 'redis_unavailable']);
    const again = await waitFor(async () => {
      const answer = await endSession(stack, sessionId);
      return answer.status !== 503 && answer;
    });
    expect([202, 404]).toContain(again.status);
    expect(await waitForStatus(stack, sessionId, 404)).toMatchObject({ endReason: 'admin_ended' });
    await expectNothingLeft(sessionId);
    expect(await doneSince(stack, before)).toEqual({ total_ended: 1 });
  });
});

describe('the api is killed in the middle of a start', () => {
  test('a retry with the same key gets the same session, and there is one agent', async () => {
    const headers = { 'Idempotency-Key': 'killed-start' };
    stack.apiRedis.holdReplies();
    const first = stack.request('POST', '/api/session/start', {}, headers).catch(() => 'no answer');
    const [sessionId = ''] = await waitFor(async () => {
      const ids = await liveSessions(stack);
      return ids.length > 0 && ids;
    });
    await stack.api.kill();
    expect(await first).toBe('no answer');
    stack.apiRedis.release();
    await stack.startApi();
    const retry = await stack.request('POST', '/api/session/start', {}, headers);
    expect([retry.status, retry.body.sessionId]).toEqual([expect.any(Number), sessionId]);
    expect(retry.status).toBeLessThan(300);
    expect(retry.body.token).toBeTruthy();
    await waitForStatus(stack, sessionId, 'ready');
    expect(await liveSessions(stack)).toEqual([sessionId]);
    expect(stack.agentProcesses()).toHaveLength(PROCESSES_OF_ONE);
    await endAndForget(sessionId);
  });

  test('without a key it is a start like any other: nobody gets a second one, and it can be ended', async () => {
    stack.apiRedis.holdReplies();
    const first = startSession(stack, { userId: 'ann' }).catch(() => 'no answer');
    await waitFor(async () => (await liveSessions(stack)).length === 1);
    await stack.api.kill();
    expect(await first).toBe('no answer');
    stack.apiRedis.release();
    await stack.startApi();
    const [sessionId] = await liveSessions(stack);
    expect(await startSession(stack, { userId: 'ann' })).toBe(sessionId);
    expect(await liveSessions(stack)).toHaveLength(1);
    await endAndForget(sessionId ?? '');
  });
});

describe('the network between the spawner and Redis', () => {
  /** What the api takes meanwhile is done when the spawner is back; a call does not notice. */
  async function callThrough(breakIt: () => void, forMs: number): Promise<void> {
    const [call, ending] = [await startReady(stack), await startReady(stack)];
    const { agentPid } = await sessionOf(stack, call);
    breakIt();
    const starting = await startSession(stack);
    expect((await endSession(stack, ending)).status).toBe(202);
    await sleep(forMs);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready', agentPid, restarts: 0 });
    stack.spawnerRedis.release();
    await waitForStatus(stack, starting, 'ready', 15_000);
    await waitForStatus(stack, ending, 404, 15_000);
    expect(await sessionOf(stack, call)).toMatchObject({ status: 'ready', agentPid, restarts: 0 });
    expect(await sessionOf(stack, starting)).toMatchObject({ generation: 1 });
    await Promise.all([call, starting].map((id) => endSession(stack, id)));
    await Promise.all([call, starting].map((id) => waitForStatus(stack, id, 404)));
    for (const id of [call, starting, ending]) await expectNothingLeft(id);
  }

  test('is reset for 4 s: what was asked meanwhile is done afterwards, once', () =>
    callThrough(() => stack.spawnerRedis.drop(), 4000));

  test('swallows everything for 4 s: the same', () => callThrough(() => stack.spawnerRedis.swallow(), 4000));

  test('is slow: everything goes on, later', async () => {
    stack.spawnerRedis.delay(150);
    stack.apiRedis.delay(100);
    const sessionId = await startReady(stack);
    stack.apiRedis.release();
    stack.spawnerRedis.release();
    await endAndForget(sessionId);
  });
});
