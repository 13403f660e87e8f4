import { expect, test } from '@jest/globals';
import type { AgentRun } from '../agent-run.js';
import type { Sounds } from '../room-ear/room-sounds.js';
import { RoomListener } from './room-listener.js';

const ROOM = 'greenroom-a';

test('another agent in the call is told of who speaks already: what the one before it heard is over', async () => {
  const told: Sounds[] = [];
  let tell: (message: unknown) => void = () => undefined;
  const listener = new RoomListener({
    livekitUrl: 'ws://127.0.0.1',
    start: (_program, { onMessage }) => {
      tell = onMessage;
      return { send: () => undefined, kill: () => undefined };
    },
    mintToken: () => Promise.resolve('token'),
    hear: (_run, sounds) => told.push(sounds),
    lose: () => expect('lost').toBe('heard'),
    onError: () => undefined,
    onLost: () => undefined,
  });
  const launch = () => ({ phase: 'serving', session: { roomName: ROOM } }) as AgentRun;
  listener.follow(launch());
  expect(listener.isListeningTo(launch())).toBe(false);
  await Promise.resolve();
  tell({ room: ROOM, isThere: true, agent: false, caller: true });
  told.length = 0;
  listener.follow(launch());
  expect(told).toEqual([expect.objectContaining({ agent: false, caller: true })]);
  expect(listener.isListeningTo(launch())).toBe(true);
});
