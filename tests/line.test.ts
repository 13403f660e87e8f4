import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { resize } from './support/pool.js';
import { endSession, health, sessionOf, startReady, waitForPool, waitForStatus } from './support/sessions.js';

const MAX_SESSIONS = 2;
const QUEUE_MAX = 3;

let stack: TestStack;
/** Sessions that are served, the eldest first. */
const served: string[] = [];

beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: { MAX_SESSIONS: String(MAX_SESSIONS), QUEUE_MAX: String(QUEUE_MAX), SHUTDOWN_MODE: 'handover' },
  });
  for (let count = 0; count < MAX_SESSIONS; count += 1) served.push(await startReady(stack));
});
afterAll(async () => {
  for (const id of served) await endSession(stack, id);
  await waitFor(() => stack.agentProcesses().length === 0);
  await stack.stop();
});

const start = () => stack.request('POST', '/api/session/start', {});
const tokenOf = (sessionId: string) => stack.request('POST', '/api/token', { sessionId });

async function standInLine(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const { status, body } = await start();
    expect([status, body.status]).toEqual([202, 'queued']);
    ids.push(body.sessionId);
  }
  return ids;
}

/** Ends the eldest call; whoever is served then is the newest. */
async function endOne(next: string): Promise<void> {
  await endSession(stack, served.shift() ?? '');
  served.push(next);
}

const positionOf = async (sessionId: string) => (await sessionOf(stack, sessionId)).position;

describe('callers beyond MAX_SESSIONS', () => {
  test('wait in line with a position and a measured wait, without a room, and the next one hears when to come again', async () => {
    const [first, second, third] = await Promise.all([start(), start(), start()]);
    expect(new Set([first, second, third].map((it) => it.body.position))).toEqual(new Set([1, 2, 3]));
    expect(first.body).toMatchObject({ success: true, status: 'queued', prewarmed: false });
    expect(first.body.estimatedWaitMs).toBeGreaterThan(0);
    expect(first.body.estimatedWait).toMatch(/^[\d.]+ m?s$/);
    for (const field of ['roomName', 'token', 'livekitUrl']) expect(first.body).not.toHaveProperty(field);
    const full = await start();
    expect([full.status, full.body.code]).toEqual([503, 'at_capacity']);
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    const { sessions, capacity } = await health(stack);
    expect([sessions.queued, capacity.current, capacity.available]).toEqual([QUEUE_MAX, MAX_SESSIONS, 0]);
    const view = await sessionOf(stack, first.body.sessionId);
    expect(view).toMatchObject({ status: 'queued', roomName: null, position: first.body.position });
    expect((await tokenOf(first.body.sessionId)).body.code).toBe('session_not_joinable');
    for (const { body } of [first, second, third]) {
      expect((await endSession(stack, body.sessionId)).status).toBe(202);
      expect((await sessionOf(stack, body.sessionId)).code).toBe('session_ended');
    }
    expect((await health(stack)).sessions.queued).toBe(0);
  });

  test('are served in order, get room and token with their turn, and the others move up', async () => {
    const [first = '', second = '', third = ''] = await standInLine(3);
    await endOne(first);
    const session = await waitForStatus(stack, first, 'ready');
    expect([await positionOf(second), await positionOf(third)]).toEqual([1, 2]);
    const token = await tokenOf(first);
    expect(token.status).toBe(201);
    expect(await stack.livekit.rooms.listRooms([session.roomName])).toHaveLength(1);
    await endOne(second);
    await waitForStatus(stack, second, 'ready');
    expect(await positionOf(third)).toBe(1);
    await endOne(third);
    await waitForStatus(stack, third, 'ready');
  });

  test('who has not asked for 30 s is passed over', async () => {
    const [gone = '', stays = ''] = await standInLine(2);
    const [seconds] = (await stack.redis.command('TIME')) as string[];
    await stack.redis.command('ZADD', 'line:asked', Number(seconds) * 1000 - 31_000, gone);
    await endOne(stays);
    await waitForStatus(stack, stays, 'ready');
    expect(await sessionOf(stack, gone)).toMatchObject({
      code: 'session_ended',
      endReason: 'line_abandoned',
    });
  });

  test('get a warm agent where there is one, under its id, and the id from the line leads to it', async () => {
    await resize(stack, 1);
    await waitForPool(stack, 1);
    const [id = ''] = await standInLine(1);
    await resize(stack, 0).then(() => resize(stack, 1));
    await waitForPool(stack, 1);
    await endOne(id);
    const session = await waitForStatus(stack, id, 'ready');
    expect(session).toMatchObject({ prewarmed: true, queuedAs: id });
    expect(session.sessionId).toMatch(/^prewarm_/);
    const { participant_token } = (await tokenOf(id)).body;
    const [, claims = ''] = participant_token.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).video.room).toBe(session.roomName);
    const logs = await stack.request('GET', `/api/session/${id}/logs`);
    expect(logs.body).toMatchObject({ sessionId: session.sessionId });
    const processes = await stack.request('GET', `/api/debug/session/${id}/processes`);
    expect(processes.body).toMatchObject({ is_process_alive: true });
    await resize(stack, 0);
    await waitForPool(stack, 0);
  });
});

describe('nobody in line is lost', () => {
  test('when the api is killed before the end that it had asked for made room', async () => {
    const [first = '', second = ''] = await standInLine(2);
    stack.spawner.signal('SIGSTOP');
    try {
      await endOne(first);
      await stack.api.kill();
    } finally {
      stack.spawner.signal('SIGCONT');
    }
    await waitFor(async () => (await stack.redis.command('HGET', `session:${first}`, 'status')) === 'ready');
    await stack.startApi();
    expect(await sessionOf(stack, first)).toMatchObject({ status: 'ready' });
    expect((await tokenOf(first)).status).toBe(201);
    expect(await sessionOf(stack, second)).toMatchObject({ status: 'queued', position: 1 });
    await endOne(second);
    await waitForStatus(stack, second, 'ready');
  });

  test('when the spawner is killed in the middle of the end that makes room', async () => {
    const [id = '', behind = ''] = await standInLine(2);
    stack.spawner.signal('SIGSTOP');
    await endOne(id);
    await stack.spawner.kill();
    await stack.startSpawner();
    await waitForStatus(stack, id, 'ready');
    expect(await sessionOf(stack, behind)).toMatchObject({ status: 'queued', position: 1 });
    await endSession(stack, behind);
  });
});
