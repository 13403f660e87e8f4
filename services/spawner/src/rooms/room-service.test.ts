import { fileURLToPath } from 'node:url';
import {
  agentIdentity,
  CALLER_IDENTITY_PREFIX,
  LISTENER_IDENTITY_PREFIX,
  roomNameOf,
  roomOptions,
} from '@greenroom/contracts';
import {
  baseEnvironment,
  type RunningProcess,
  startLiveKit,
  startProcess,
  type TestLiveKit,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AccessToken } from 'livekit-server-sdk';
import { mintAgentToken } from './agent-token.js';
import { LiveKitUnavailableError } from './ask-livekit.js';
import { RoomService } from './room-service.js';

const JOINS = fileURLToPath(new URL('../../../../tests/fixtures/agents/joins-room.mjs', import.meta.url));
const sessionId = 'session_roomservicetest00000';
const roomName = roomNameOf(sessionId);

let livekit: TestLiveKit;
let rooms: RoomService;
const inside: RunningProcess[] = [];

beforeAll(async () => {
  livekit = await startLiveKit();
  rooms = new RoomService(livekit.url, livekit.apiKey, livekit.apiSecret);
});
afterAll(() => livekit.stop());
beforeEach(async () => {
  const times = { sessionTimeoutMs: 60_000, warmMaxAgeMs: 60_000, leaveGraceMs: 1000 };
  await rooms.create(roomOptions({ sessionId, deployment: 'd', ...times }));
});
afterEach(async () => {
  await Promise.all(inside.splice(0).map((it) => it.stop()));
  // One that was paused has to catch up first.
  await waitFor(() =>
    rooms.delete(roomName).then(
      () => true,
      () => false,
    ),
  );
});

/** Somebody who stays in the room; waits until LiveKit calls it active. */
async function enter(token: string): Promise<void> {
  const env = { ...baseEnvironment(), LIVEKIT_URL: livekit.url, LIVEKIT_TOKEN: token };
  inside.push(await startProcess({ name: 'participant', command: process.execPath, args: [JOINS], env }));
  await waitFor(async () => {
    const participants = await livekit.rooms.listParticipants(roomName);
    return participants.length === inside.length && participants.every((it) => it.state === 2);
  });
}

function agentToken(generation: number): Promise<string> {
  const credentials = { livekitApiKey: livekit.apiKey, livekitApiSecret: livekit.apiSecret };
  return mintAgentToken({ sessionId, generation, roomName, lifeMs: 60_000 }, credentials);
}

function tokenOf(identity: string, kind: 'agent' | 'standard' | 'ingress'): Promise<string> {
  const token = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity });
  token.kind = kind;
  token.addGrant({ roomJoin: true, room: roomName });
  return token.toJwt();
}

describe('whether an agent is in the room', () => {
  test('an agent of this launch counts; one of an earlier launch does not', async () => {
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 1 })).toBe(false);
    await enter(await agentToken(1));
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 1 })).toBe(true);
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 2 })).toBe(false);
    await enter(await agentToken(2));
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 2 })).toBe(true);
  });

  test('a caller is no agent; a bot with an identity of its own is one', async () => {
    await enter(await tokenOf('caller-ann', 'standard'));
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 1 })).toBe(false);
    await enter(await tokenOf('agent-AJ_of_its_own', 'agent'));
    expect(await rooms.hasActiveAgent(roomName, { sessionId, generation: 2 })).toBe(true);
  });

  test('in a room that is not there is nobody', async () => {
    expect(await rooms.hasActiveAgent('no-such-room', { sessionId, generation: 1 })).toBe(false);
    await rooms.removeAgents('no-such-room');
  });
});

describe('whether a caller is in the room', () => {
  test('somebody with an identity that we minted counts; agents and strangers do not', async () => {
    await enter(await agentToken(1));
    await enter(await tokenOf('a-stranger', 'standard'));
    expect(await rooms.hasCaller(roomName)).toBe(false);
    await enter(await tokenOf(`${CALLER_IDENTITY_PREFIX}ann`, 'standard'));
    expect(await rooms.hasCaller(roomName)).toBe(true);
  });

  test('in a room that is not there is nobody', async () => {
    expect(await rooms.hasCaller('no-such-room')).toBe(false);
  });
});

describe('who is in the room', () => {
  const launch = { sessionId, generation: 2 };

  test('the caller, since LiveKit let it in, and the agent of this launch', async () => {
    expect(await rooms.whoIsIn(roomName, launch)).toEqual({ caller: 'absent', agent: 'absent' });
    const before = Date.now();
    await enter(await tokenOf(`${CALLER_IDENTITY_PREFIX}ann`, 'standard'));
    const { caller, callerSince, agent } = await rooms.whoIsIn(roomName, launch);
    expect([caller, agent]).toEqual(['present', 'absent']);
    expect(callerSince).toBeGreaterThan(before - 1000);
    expect(callerSince).toBeLessThanOrEqual(Date.now());
    await enter(await agentToken(2));
    expect(await rooms.whoIsIn(roomName, launch)).toMatchObject({ caller: 'present', agent: 'present' });
  });

  test('strangers and the agents of earlier launches are neither', async () => {
    await enter(await tokenOf('a-stranger', 'standard'));
    await enter(await agentToken(1));
    expect(await rooms.whoIsIn(roomName, launch)).toEqual({ caller: 'absent', agent: 'absent' });
    expect(await rooms.whoIsIn('no-such-room', launch)).toEqual({ caller: 'absent', agent: 'absent' });
  });
});

test('an operator who listens in is neither the caller nor the agent, nor taken for one that may be', async () => {
  const launch = { sessionId, generation: 2 };
  await enter(await tokenOf(`${LISTENER_IDENTITY_PREFIX}abc`, 'ingress'));
  expect(await rooms.whoIsIn(roomName, launch)).toEqual({ caller: 'absent', agent: 'absent' });
  expect(await rooms.hasCaller(roomName)).toBe(false);
  expect(await rooms.hasActiveAgent(roomName, launch)).toBe(false);
  expect(await rooms.mayHaveAgent(roomName, launch)).toBe(false);
});

test('agents are removed, callers stay', async () => {
  await enter(await agentToken(1));
  await enter(await tokenOf('caller-ann', 'standard'));
  await rooms.removeAgents(roomName);
  const left = await livekit.rooms.listParticipants(roomName);
  expect(left.map((it) => it.identity)).toEqual(['caller-ann']);
  expect(left.map((it) => it.identity)).not.toContain(agentIdentity(sessionId, 1));
});

test('only rooms with our mark are listed, and deleting twice is no error', async () => {
  await livekit.rooms.createRoom({ name: 'of-somebody-else', metadata: '{"greenroom":{"sessionId":"x y"}}' });
  expect((await rooms.listOurs()).map(({ name, deployment }) => [name, deployment])).toEqual([
    [roomName, 'd'],
  ]);
  await livekit.rooms.deleteRoom('of-somebody-else');
  await rooms.delete(roomName);
  await rooms.delete(roomName);
});

describe('a LiveKit that is away', () => {
  const options = roomOptions({
    sessionId,
    deployment: 'd',
    sessionTimeoutMs: 60_000,
    warmMaxAgeMs: 60_000,
    leaveGraceMs: 1000,
  });

  test('is said so in bounded time; a deletion waits for it least', async () => {
    const nowhere = new RoomService('ws://127.0.0.1:1', 'key', 'secret');
    await expect(nowhere.listOurs()).rejects.toThrow(LiveKitUnavailableError);
    await expect(nowhere.hasActiveAgent(roomName, { sessionId, generation: 1 })).rejects.toThrow(
      /list participants/,
    );
    livekit.pause();
    try {
      // A process with many threads takes a moment to stop.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const startedAt = performance.now();
      await expect(rooms.delete(roomName)).rejects.toThrow(LiveKitUnavailableError);
      expect(performance.now() - startedAt).toBeLessThan(1500);
    } finally {
      livekit.resume();
    }
  });

  test('is asked again until it is back, and the room is made', async () => {
    await livekit.kill();
    const since = performance.now();
    const making = rooms.create(options, { limitMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    await livekit.restart();
    const { sid } = await making;
    expect(sid).toMatch(/^RM_/);
    expect(rooms.outages.hasBeenSince(since)).toBe(true);
    expect((await rooms.sidsOf([roomName, 'no-such-room'])).get(roomName)).toBe(sid);
  });

  test('is not waited for any longer once the room is not wanted any more', async () => {
    const nowhere = new RoomService('ws://127.0.0.1:1', 'key', 'secret');
    const unwanted = new AbortController();
    const sid = nowhere.create(options, { limitMs: 10_000, signal: unwanted.signal });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const abortedAt = performance.now();
    unwanted.abort();
    await expect(sid).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - abortedAt).toBeLessThan(100);
  });

  test('but an answer that is final is not asked for again, and is no outage', async () => {
    const stranger = new RoomService(livekit.url, livekit.apiKey, 'x'.repeat(40));
    const startedAt = performance.now();
    await expect(stranger.create(options, { limitMs: 10_000 })).rejects.toMatchObject({ isFinal: true });
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(stranger.outages.hasBeenSince(0)).toBe(false);
  });
});
