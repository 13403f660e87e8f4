import { dispose, Room } from '@livekit/rtc-node';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccessToken } from 'livekit-server-sdk';
import { startLiveKit, type TestLiveKit } from './livekit.js';
import { isAlive } from './process-facts.js';
import { waitFor } from './wait-for.js';

let livekit: TestLiveKit;
beforeAll(async () => {
  livekit = await startLiveKit({ emptyTimeout: 1, departureTimeout: 1 });
});
afterAll(async () => {
  await dispose();
  await livekit.stop();
});

async function join(roomName: string): Promise<Room> {
  const token = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity: 'someone', ttl: 60 });
  token.addGrant({ roomJoin: true, room: roomName });
  const room = new Room();
  await room.connect(livekit.url, await token.toJwt(), { autoSubscribe: true, dynacast: false });
  return room;
}

test('a token does not make a room, a made room can be joined, and closes when all have left', async () => {
  await expect(join('unmade')).rejects.toThrow();
  await livekit.rooms.createRoom({ name: 'made' });
  const room = await join('made');
  const [participant] = await waitFor(async () => {
    const all = await livekit.rooms.listParticipants('made');
    return all[0]?.state === 2 && all;
  });
  expect(participant?.identity).toBe('someone');
  await room.disconnect();
  await waitFor(async () => (await livekit.rooms.listRooms(['made'])).length === 0);
});

test('a stopped server is gone', async () => {
  const another = await startLiveKit();
  expect(isAlive(another.pid)).toBe(true);
  await another.stop();
  expect(isAlive(another.pid)).toBe(false);
});
