import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { dispose, Room } from '@livekit/rtc-node';
import { waitFor } from '@greenroom/test-kit';
import { CallClock } from './call-clock.js';
import { RoomConnection } from './room-connection.js';
import { Transcript } from './transcript.js';

/** Takes connections and says nothing, as a LiveKit behind a firewall does; or closes each at once. */
let server: Server;
let sockets: Socket[];
let isClosing: boolean;
let livekitUrl: string;

beforeEach(async () => {
  sockets = [];
  isClosing = false;
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    if (isClosing) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  livekitUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

// LiveKit's library holds the process otherwise.
afterAll(() => dispose());

function join(stop: AbortSignal): Promise<void> {
  const clock = new CallClock();
  const connection = new RoomConnection(clock, new Transcript(clock, () => undefined));
  return connection.join({ livekitUrl, token: 'a.b.c', roomName: 'r' }, stop);
}

test('what is called off while a LiveKit does not answer is over at once', async () => {
  const stop = new AbortController();
  const joining = join(stop.signal);
  await waitFor(() => sockets.length > 0);
  const calledOffAt = performance.now();
  stop.abort();
  await joining;
  expect(performance.now() - calledOffAt).toBeLessThan(500);
});

test('what is called off between two attempts makes no further one', async () => {
  isClosing = true;
  const attempts = jest.spyOn(Room.prototype, 'connect');
  const stop = new AbortController();
  const joining = join(stop.signal);
  await waitFor(() => attempts.mock.results.length === 2, { timeoutMs: 15_000 });
  await expect(attempts.mock.results[1]?.value).rejects.toThrow();
  stop.abort();
  await joining;
  // Longer than the pause that would have followed.
  await sleep(500);
  expect(attempts).toHaveBeenCalledTimes(2);
}, 20_000);
