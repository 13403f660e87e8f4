import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { endSession, sessionOf, waitForStatus } from './support/sessions.js';

let stack: TestStack;
/** A call of Ada's that is over, with two launches of its agent. */
let ended: string;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('speaks-to-its-caller.mjs'),
    webhooks: true,
    env: { TRANSCRIPT_RETENTION: '3600', HEALTH_CHECK_INTERVAL: '1', SHUTDOWN_MODE: 'handover' },
  });
  ended = await call({ userId: 'ada', userName: 'Ada', metadata: { ward: 7 } }, 1);
  await leaveCalls();
}, 90_000);
afterEach(leaveCalls);
afterAll(() => stack.stop());

const get = (path: string) => stack.request('GET', path);
const historyOf = async (id: string) => (await get(`/api/session/${id}/history`)).body;
const filesOf = async (id: string) =>
  (await readdir(path.join(stack.stateDir, 'agents'))).filter((name) => name.startsWith(id)).sort();

/** Its log, and when the lines of it were printed. */
const FILES_OF_A_LAUNCH = 2;

/** LiveKit's library says something too, when it comes to it. */
const ofTheAgent = (lines: string[]) => lines.filter((line) => !line.includes('lk-rtc'));

/** Waits until the agents of a session have spoken, each launch once. */
async function hasSpoken(id: string, launches = 1): Promise<void> {
  const isDone = (lines: string[]) =>
    ofTheAgent(lines).at(-1) === 'has spoken' &&
    lines.filter((line) => line === 'has spoken').length === launches;
  await waitFor(async () => isDone((await get(`/api/session/${id}/logs?tail=200`)).body.lines), {
    timeoutMs: 10_000,
  });
}

/** A call that is over, with its agent killed in between as often as asked. */
async function call(body: object, crashes = 0): Promise<string> {
  const { sessionId } = await startCall(stack, body);
  await hasSpoken(sessionId);
  for (let crash = 1; crash <= crashes; crash += 1) {
    process.kill((await sessionOf(stack, sessionId)).agentPid, 'SIGKILL');
    await waitFor(
      async () => {
        const { status, generation } = await sessionOf(stack, sessionId);
        return status === 'ready' && generation === crash + 1;
      },
      { timeoutMs: 15_000 },
    );
    await hasSpoken(sessionId, crash + 1);
  }
  await endSession(stack, sessionId);
  await waitForStatus(stack, sessionId, 404);
  return sessionId;
}

async function readWholeLog(id: string, tail: number): Promise<string[]> {
  const lines: string[] = [];
  let cursor = '';
  do {
    const { status, body } = await get(`/api/session/${id}/logs?tail=${tail}${cursor}`);
    expect(status).toBe(200);
    lines.unshift(...ofTheAgent(body.lines));
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
  } while (cursor !== '');
  return lines;
}

test('a call that was joined, spoke, lost its agent and ended has its history, with what happened in order', async () => {
  const entry = await historyOf(ended);
  expect(entry).toMatchObject({
    sessionId: ended,
    userId: 'ada',
    userName: 'Ada',
    metadata: { ward: 7 },
    prewarmed: false,
    restarts: 1,
    endReason: 'admin_ended',
    endedBy: 'admin',
    forgotten: false,
    launches: [
      { generation: 1, host: 'test-host' },
      { generation: 2, host: 'test-host' },
    ],
  });
  const { askedAt, spawnedAt, readyAt, joinedAt, firstAudioAt, endRequestedAt, endedAt } = entry.timeline;
  for (const times of [
    [askedAt, spawnedAt, readyAt, firstAudioAt, endRequestedAt, endedAt],
    [askedAt, joinedAt, firstAudioAt],
  ]) {
    expect(times.every((it) => typeof it === 'string')).toBe(true);
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
  }
  // Its agent speaks half a second after it has come, and it was killed and started again after that.
  expect(entry.durations.untilFirstAudioMs).toBeGreaterThan(500);
  expect(Date.parse(endedAt) - Date.parse(firstAudioAt)).toBeGreaterThan(500);
  expect(entry.durations.totalMs).toBe(Date.parse(endedAt) - Date.parse(askedAt));
  expect(entry.peakMemoryBytes).toBeGreaterThan(20_000_000);
  expect(entry.cpuSeconds).toBeGreaterThan(0.1);
  expect(entry.lastLines.at(-1)).toBe('has spoken');
  expect(entry.lastLines).toHaveLength(10);
  const gone = await get(`/api/session/${ended}`);
  expect([gone.status, gone.body.code, gone.body.endReason]).toEqual([404, 'session_ended', 'admin_ended']);
});

test('it is listed, by user and reason, and a live session is not', async () => {
  const { sessionId: live } = await startCall(stack, { userId: 'bob' });
  const idsOf = async (query: string) =>
    (await get(`/api/sessions?history=1${query}`)).body.sessions.map(
      (it: { sessionId: string }) => it.sessionId,
    );
  expect(await idsOf('')).toEqual([ended]);
  expect(await idsOf('&userId=ada&reason=admin_ended&host=test-host&from=2020-01-01T00:00:00Z')).toEqual([
    ended,
  ]);
  expect(await idsOf('&userId=bob')).toEqual([]);
  expect((await get('/api/sessions?history=1&status=ready')).body.code).toBe('invalid_request');
  expect((await get('/api/sessions?reason=stale')).body.code).toBe('invalid_request');
  expect((await get(`/api/session/${live}/history`)).status).toBe(404);
  expect(
    (await stack.request('GET', '/api/sessions?history=1', undefined, { authorization: '' })).status,
  ).toBe(401);
  await endSession(stack, live);
  await waitForStatus(stack, live, 404);
});

test('its log, of both launches in order, is served by its host, after a restart of the spawner too', async () => {
  const whole = await readWholeLog(ended, 40);
  expect(whole).toHaveLength(2 * 152);
  expect(whole.filter((line) => line === 'has spoken')).toHaveLength(2);
  expect(whole[1]).toBe('line 1');
  expect(await readWholeLog(ended, 1000)).toEqual(whole);
  const last = await get(`/api/session/${ended}/logs?tail=3`);
  expect(last.body.lines).toHaveLength(3);
  expect(ofTheAgent(last.body.lines).slice(-2)).toEqual(['line 150', 'has spoken']);
  expect((await get(`/api/session/${ended}/logs?follow=1`)).body.code).toBe('session_ended');
  // Of each line when it was printed, in order.
  const { times } = (await get(`/api/session/${ended}/logs?tail=1000`)).body;
  const { spawnedAt, endedAt } = (await historyOf(ended)).timeline;
  expect(times.every((it: unknown) => typeof it === 'string')).toBe(true);
  const order = [spawnedAt, ...times, endedAt].map((at) => Date.parse(at));
  // The clock of Redis is known to a few milliseconds.
  expect(order.every((at, index) => at >= (order[index - 1] ?? at) - 20)).toBe(true);

  await stack.spawner.kill();
  const startedAt = performance.now();
  const refused = await get(`/api/session/${ended}/logs`);
  expect([refused.status, refused.body.code]).toEqual([503, 'host_unreachable']);
  expect(performance.now() - startedAt).toBeLessThan(3500);
  await stack.startSpawner();
  expect(await readWholeLog(ended, 100)).toEqual(whole);
  expect((await get(`/api/session/${ended}/logs?tail=1000`)).body.times).toEqual(times);
});

test('what was said is kept for as long as it is to be, for admins alone, and stands in no log', async () => {
  const { body } = await get(`/api/session/${ended}/transcript?limit=3`);
  expect(body.lines).toMatchObject([
    { role: 'agent', text: 'where does it hurt' },
    { role: 'user', text: 'my knee' },
    { role: 'agent', text: 'where does it hurt' },
  ]);
  const rest = await get(`/api/session/${ended}/transcript?limit=3&cursor=${body.nextCursor}`);
  expect(rest.body).toMatchObject({ lines: [{ text: 'my knee' }], nextCursor: null });
  const ttlMs = Number(await stack.redis.command('PTTL', `transcript:${ended}`));
  expect(ttlMs).toBeGreaterThan(3_500_000);
  expect(ttlMs).toBeLessThanOrEqual(3_600_000);
  const asHolder = await stack.request('GET', `/api/session/${ended}/transcript`, undefined, {
    authorization: '',
  });
  expect(asHolder.status).toBe(401);
  expect(stack.logs() + (await readWholeLog(ended, 1000)).join('\n')).not.toMatch(/knee|hurt/);
});

test('a user is forgotten, on a host that cannot be asked as soon as it is back', async () => {
  expect(await filesOf(ended)).toHaveLength(2 * FILES_OF_A_LAUNCH);
  await stack.spawner.kill();
  const answer = await stack.request('DELETE', '/api/users/ada/data');
  expect([answer.status, answer.body]).toEqual([204, '']);
  expect(await historyOf(ended)).toMatchObject({
    forgotten: true,
    userId: null,
    userName: null,
    lastLines: [],
    endReason: 'admin_ended',
  });
  expect((await get(`/api/session/${ended}/logs`)).body.code).toBe('log_gone');
  expect((await get(`/api/session/${ended}/transcript`)).body.code).toBe('transcript_not_kept');
  expect(await filesOf(ended)).toHaveLength(2 * FILES_OF_A_LAUNCH);
  // From here on with another retention, for the last test.
  await stack.startSpawner({ TRANSCRIPT_RETENTION: '0' });
  await waitFor(async () => (await filesOf(ended)).length === 0);
  expect((await get('/api/sessions?history=1&userId=ada')).body.sessions).toEqual([]);
  expect((await stack.request('DELETE', '/api/users/a:b/data')).body.code).toBe('invalid_request');
});

test('a user in a call is forgotten with its end; a log that is gone is told so', async () => {
  const { sessionId } = await startCall(stack, { userId: 'eve', userName: 'Eve' });
  await hasSpoken(sessionId);
  expect((await stack.request('DELETE', '/api/users/eve/data')).status).toBe(204);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready' });
  await endSession(stack, sessionId);
  await waitForStatus(stack, sessionId, 404);
  expect(await historyOf(sessionId)).toMatchObject({ forgotten: true, userId: null, lastLines: [] });
  await waitFor(async () => (await filesOf(sessionId)).length === 0, { timeoutMs: 7000 });
});

test('with no retention nothing of what was said is left when the call is over', async () => {
  const id = await call({ userId: 'ian' });
  expect((await get(`/api/session/${id}/transcript`)).body.code).toBe('transcript_not_kept');
  expect(await stack.redis.command('EXISTS', `transcript:${id}`, `stream:${id}`)).toBe(0);
  expect((await readdir(path.join(stack.stateDir, 'events'))).filter((name) => name.startsWith(id))).toEqual(
    [],
  );
  expect(await readWholeLog(id, 500)).toContain('has spoken');
});
