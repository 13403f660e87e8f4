import type { SessionRecord } from '@greenroom/redis-schema';
import { startLiveKit, startRedis, type TestLiveKit, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';
import { openRoom } from './open-room.js';

let redis: TestRedis;
let livekit: TestLiveKit;
let api: TestApi;
let spawner: StandInSpawner;
let session: SessionRecord;

beforeAll(async () => {
  [redis, livekit] = await Promise.all([startRedis(), startLiveKit()]);
  api = await openTestApi({ redis, livekit });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await api.close();
  await Promise.all([redis.stop(), livekit.stop()]);
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await spawner.register();
  const { sessionId } = await api.start();
  session = await read(sessionId);
});

async function read(sessionId: string): Promise<SessionRecord> {
  const found = await api.schema.sessions.read(sessionId);
  if (found.status !== 'live') throw new Error(`${sessionId} is ${found.status}`);
  return found.session;
}

const isThere = async () => (await livekit.rooms.listRooms([session.roomName])).length === 1;
const open = () => openRoom(api.context, session, undefined);
const askForEnd = () =>
  api.schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });

test('a session that goes on keeps its room', async () => {
  await open();
  // What is read after this was read after the session.
  await api.schema.sessions.read(session.id);
  await livekit.rooms.listParticipants(session.roomName);
  expect(await isThere()).toBe(true);
});

test('one that ended meanwhile, and whose room was deleted, leaves none', async () => {
  await askForEnd();
  await livekit.rooms.deleteRoom(session.roomName);
  await open();
  await waitFor(async () => !(await isThere()));
});

test('one whose start failed meanwhile leaves none', async () => {
  const ref = await spawner.claimNext();
  await api.schema.sessions.failLaunch(ref, {
    error: 'it exited',
    lastLines: [],
    maxAttempts: 1,
    backoffMs: 0,
    holdoffBaseMs: 1_000,
    holdoffMaxMs: 1_000,
    isAgentsFault: true,
  });
  await livekit.rooms.deleteRoom(session.roomName);
  await open();
  await waitFor(async () => !(await isThere()));
});

test('one that is ending keeps the room in which its agent takes leave', async () => {
  const ref = await spawner.claimNext();
  const [room] = await livekit.rooms.listRooms([session.roomName]);
  await api.schema.sessions.replaceRoom(ref, room?.sid);
  await askForEnd();
  expect((await read(session.id)).status).toBe('ending');
  await open();
  await api.schema.sessions.read(session.id);
  await livekit.rooms.listParticipants(session.roomName);
  expect(await isThere()).toBe(true);
});
