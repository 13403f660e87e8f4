/**
 * LiveKit killed, hung and restarted under live calls. Measured with rtc-node 0.13.35 and 1.1.0 against livekit-server
 * 1.13.5: a client whose server was killed goes on trying for 23 s and then gives up (`disconnected`, reason 0). Within
 * that time it enters a room that was made again under the same name by itself, with the token it has, and under the same
 * identity: at most 1 s after the return of a server that was away for a moment, up to 6 s after an outage of 15 s, for
 * its attempts lie further and further apart. A room that is not there yet counts as a failed attempt. A server that only
 * hangs (SIGSTOP) for 20 s loses nobody.
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { roomMetadata } from '@greenroom/contracts';
import {
  baseEnvironment,
  isAlive,
  type RunningProcess,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AccessToken } from 'livekit-server-sdk';
import { agent } from '../../support/agents.js';
import { resize, warmIds } from '../../support/pool.js';
import { endSession, sessionOf, startReady, startSession, waitForStatus } from '../../support/sessions.js';

const JOINS = fileURLToPath(new URL('../../fixtures/agents/joins-room.mjs', import.meta.url));
const OUTAGE_MS = 3000;
/** A client that reconnects may wait this long between two attempts. */
const REJOIN_MS = 15_000;
const HEARTBEAT_MS = 5000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('joins-room.mjs'),
    env: { STALE_SWEEP_INTERVAL: '2', TERMINATION_GRACE: '1', RATE_LIMIT_PER_MINUTE: '0' },
  });
});
afterAll(() => stack.stop());

const callers: RunningProcess[] = [];
afterEach(async () => {
  stack.livekit.resume();
  stack.spawner.resume();
  await Promise.all(callers.splice(0).map((it) => it.stop({ signal: 'SIGKILL' })));
  await stack.request('POST', '/api/pool/resize', { size: 0 });
  const live = (await stack.request('GET', '/api/sessions')).body.sessions as { sessionId: string }[];
  for (const { sessionId } of live) await endSession(stack, sessionId);
  await waitFor(() => stack.agentProcesses().length === 0);
});

/** Somebody who stays in a room, and comes back to it when LiveKit does. */
async function enter(token: string): Promise<void> {
  const env = { ...baseEnvironment(), LIVEKIT_URL: stack.livekit.url, LIVEKIT_TOKEN: token };
  callers.push(await startProcess({ name: 'caller', command: process.execPath, args: [JOINS], env }));
}

/** The api takes starts again within a second or two of LiveKit's return. */
async function untilStartsAreTaken(): Promise<void> {
  await waitFor(
    async () => (await stack.request('GET', '/api/health')).body.dependencies.livekit.status === 'up',
    {
      timeoutMs: 2000,
    },
  );
}

/** A call with its caller in the room. */
async function startCall() {
  await untilStartsAreTaken();
  const sessionId = await startReady(stack);
  const { roomName, agentPid } = await sessionOf(stack, sessionId);
  const { body } = await stack.request('POST', '/api/token', { sessionId });
  await enter(body.participant_token);
  await waitForPeople(roomName, 2);
  return { sessionId, roomName, agentPid };
}

async function waitForPeople(roomName: string, count: number, timeoutMs = 10_000): Promise<void> {
  await waitFor(
    async () => {
      const there = await stack.livekit.rooms.listParticipants(roomName);
      return there.length === count && there.every((it) => it.state === 2);
    },
    { timeoutMs, what: `${count} active in ${roomName}` },
  );
}

async function roomsThere(...names: string[]): Promise<string[]> {
  return (await stack.livekit.rooms.listRooms(names)).map((it) => it.name);
}

const sidOf = async (roomName: string) => (await stack.livekit.rooms.listRooms([roomName]))[0]?.sid;
const doomed = async () => (await stack.redis.command('ZRANGE', 'rooms:doomed', 0, -1)) as string[];

describe('LiveKit is killed and comes back', () => {
  test('calls go on: their rooms are there again within a second, agents and callers enter them, nobody is restarted', async () => {
    const calls = [await startCall(), await startCall()];
    const names = calls.map((it) => it.roomName);
    await stack.livekit.kill();
    await sleep(OUTAGE_MS);
    await stack.livekit.restart();
    await waitFor(async () => (await roomsThere(...names)).length === 2, {
      timeoutMs: 1000,
      what: 'both rooms',
    });
    for (const { sessionId, roomName, agentPid } of calls) {
      await waitForPeople(roomName, 2, REJOIN_MS);
      const session = await sessionOf(stack, sessionId);
      expect(session).toMatchObject({ status: 'ready', agentPid, restarts: 0, generation: 1 });
      expect(await stack.redis.command('HGET', `session:${sessionId}`, 'roomSid')).toBe(
        await sidOf(roomName),
      );
    }
  }, 60_000);

  test('an agent that dies before its caller is back is started again: an empty room proves nothing yet', async () => {
    const { sessionId, roomName, agentPid } = await startCall();
    await stack.livekit.kill();
    await sleep(OUTAGE_MS);
    await stack.livekit.restart();
    process.kill(agentPid, 'SIGKILL');
    await waitFor(async () => (await sessionOf(stack, sessionId)).restarts === 1, { timeoutMs: 5000 });
    expect(await waitForStatus(stack, sessionId, 'ready')).toMatchObject({ generation: 2 });
    await waitForPeople(roomName, 2, REJOIN_MS);
  }, 60_000);

  test('a start that was accepted waits for it, and costs no attempt', async () => {
    await untilStartsAreTaken();
    stack.spawner.pause();
    const sessionId = await startSession(stack);
    await stack.livekit.kill();
    stack.spawner.resume();
    await sleep(OUTAGE_MS);
    await stack.livekit.restart();
    expect(await waitForStatus(stack, sessionId, 'ready', 8000)).toMatchObject({
      generation: 1,
      attempts: 0,
    });
  });

  test('an end meanwhile is finished at once, and its room does not come back with the others', async () => {
    const [ended, other] = [await startCall(), await startCall()];
    await stack.livekit.kill();
    await endSession(stack, ended.sessionId);
    await waitForStatus(stack, ended.sessionId, 404, 4000);
    expect(isAlive(ended.agentPid)).toBe(false);
    await stack.livekit.restart();
    await waitFor(async () => (await roomsThere(other.roomName)).length === 1, { timeoutMs: 1000 });
    await waitFor(async () => (await doomed()).length === 0, { timeoutMs: 2000 });
    await sleep(1000);
    expect(await roomsThere(ended.roomName)).toEqual([]);
  });

  test('a warm agent, whose room is not the one that it joined, is retired and replaced', async () => {
    await resize(stack, 1);
    const [before] = await waitFor(async () => {
      const ids = await warmIds(stack);
      return ids.length === 1 && ids;
    });
    await stack.livekit.kill();
    await sleep(500);
    await stack.livekit.restart();
    await waitFor(async () => !(await warmIds(stack)).includes(before ?? ''), { timeoutMs: 4000 });
    await waitFor(async () => (await warmIds(stack)).length === 1, { timeoutMs: 10_000 });
    const [after] = await warmIds(stack);
    await waitForPeople(`greenroom-${after}`, 1);
    expect(await roomsThere(`greenroom-${before}`)).toEqual([]);
  });

  test('while the spawner is away too: the next one makes the rooms again', async () => {
    const { sessionId, roomName, agentPid } = await startCall();
    await stack.spawner.kill();
    await stack.livekit.kill();
    await stack.livekit.restart();
    await stack.startSpawner();
    await waitForPeople(roomName, 2, REJOIN_MS);
    expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', agentPid });
  }, 60_000);
});

describe('starts while LiveKit is away', () => {
  const start = (key: string) =>
    stack.request('POST', '/api/session/start', {}, { 'Idempotency-Key': key, authorization: '' });
  const refuses = async () => (await start(`another-key-${Math.random()}`)).status === 503;

  test('are refused at once with a clear error, begin nothing, and work with the same key when it is back', async () => {
    const { sessionId } = await startCall();
    await stack.livekit.kill();
    // The api hears of it by itself: no start is needed to find out.
    await sleep(300);
    const before = await stack.redis.command('ZCARD', 'sessions:index');
    const startedAt = performance.now();
    const refused = await start('the-key');
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ code: 'livekit_unavailable', success: false });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await stack.redis.command('ZCARD', 'sessions:index')).toBe(before);

    expect((await stack.request('POST', '/api/token', { sessionId })).status).toBe(201);
    expect((await sessionOf(stack, sessionId)).status).toBe('ready');
    const { body: health } = await stack.request('GET', '/api/health');
    expect([health.status, health.dependencies.livekit.status]).toEqual(['degraded', 'down']);
    const metrics = await stack.request('GET', '/metrics');
    expect(metrics.body).toMatch(/^greenroom_livekit_breaker_open(\{[^}]*\})? 1$/m);

    await stack.livekit.restart();
    const again = await waitFor(
      async () => {
        const answer = await start('the-key');
        return answer.status === 202 && answer;
      },
      { timeoutMs: 1500, intervalMs: 50 },
    );
    expect((await start('the-key')).body.sessionId).toBe(again.body.sessionId);
    await waitForStatus(stack, again.body.sessionId, 'ready');
  });

  test('one that hangs is noticed by the starts themselves; one slow answer refuses nobody', async () => {
    await untilStartsAreTaken();
    stack.livekit.pause();
    expect(await refuses()).toBe(false);
    stack.livekit.resume();
    await sleep(1000);
    expect(await refuses()).toBe(false);
    stack.livekit.pause();
    await waitFor(refuses, { timeoutMs: 4000 });
    stack.livekit.resume();
    await waitFor(async () => !(await refuses()), { timeoutMs: 2000 });
  });
});

describe('LiveKit hangs', () => {
  test('an end is finished all the same, and its room is deleted once LiveKit answers', async () => {
    const { sessionId, roomName } = await startCall();
    stack.livekit.pause();
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404, 5000);
    expect(await doomed()).toEqual([roomName]);
    stack.livekit.resume();
    await waitFor(async () => (await roomsThere(roomName)).length === 0, { timeoutMs: HEARTBEAT_MS + 1000 });
    await waitFor(async () => (await doomed()).length === 0, { timeoutMs: 1000 });
  });
});

describe('a room that is finished while LiveKit stays', () => {
  test('is not made again, and its call ends though its agent hangs', async () => {
    const [closed, other] = [await startCall(), await startCall()];
    // Otherwise it leaves by itself.
    process.kill(closed.agentPid, 'SIGSTOP');
    await stack.livekit.rooms.deleteRoom(closed.roomName);
    const ended = await waitForStatus(stack, closed.sessionId, 404, HEARTBEAT_MS + 1000 + 3000);
    expect(ended).toMatchObject({ endReason: 'room_finished' });
    expect(await roomsThere(closed.roomName, other.roomName)).toEqual([other.roomName]);
    expect(await sessionOf(stack, other.sessionId)).toMatchObject({ status: 'ready' });
  });
});

describe('rooms that are not ours', () => {
  const marked = roomMetadata({
    sessionId: 'session_ofanotherdeployment00',
    deployment: 'another-one',
    userId: undefined,
    userName: undefined,
    voiceId: undefined,
  });

  test('stay as they are, with whoever is in them, through an outage and the sweeps after it', async () => {
    const call = await startCall();
    await stack.livekit.kill();
    await stack.livekit.restart();
    const { rooms, apiKey, apiSecret } = stack.livekit;
    await rooms.createRoom({ name: 'a-strangers-room' });
    await rooms.createRoom({ name: 'of-another-deployment', metadata: marked });
    const token = new AccessToken(apiKey, apiSecret, { identity: 'a-stranger' });
    token.addGrant({ roomJoin: true, room: 'a-strangers-room' });
    await enter(await token.toJwt());
    await waitForPeople('a-strangers-room', 1);
    await waitForPeople(call.roomName, 2, REJOIN_MS);
    const before = await rooms.listRooms(['a-strangers-room', 'of-another-deployment']);
    // Two sweeps and a heartbeat.
    await sleep(HEARTBEAT_MS);
    const after = await rooms.listRooms(['a-strangers-room', 'of-another-deployment']);
    const facts = (list: typeof before) => new Map(list.map((it) => [it.name, [it.sid, it.metadata]]));
    expect(facts(after)).toEqual(facts(before));
    expect(after).toHaveLength(2);
    await waitForPeople('a-strangers-room', 1);
    for (const name of ['a-strangers-room', 'of-another-deployment']) await rooms.deleteRoom(name);
  }, 60_000);
});
