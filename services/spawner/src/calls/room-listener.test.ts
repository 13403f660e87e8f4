import { afterEach, expect, jest, test } from '@jest/globals';
import type { AgentRun } from '../agent-run.js';
import type { Sounds } from '../room-ear/room-sounds.js';
import { RoomListener } from './room-listener.js';

const ROOM = 'greenroom-a';

afterEach(() => void jest.useRealTimers());

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

test('a room that cannot be heard is told of once, until it was heard again', async () => {
  jest.useFakeTimers();
  const run = { phase: 'serving', session: { roomName: ROOM } } as AgentRun;
  const errors: unknown[] = [];
  let tell: (message: unknown) => void = () => undefined;
  const listener = new RoomListener({
    livekitUrl: 'ws://127.0.0.1',
    start: (_program, { onMessage }) => {
      tell = onMessage;
      return { send: () => undefined, kill: () => undefined };
    },
    mintToken: () => Promise.resolve('token'),
    hear: () => undefined,
    lose: () => undefined,
    onError: (_run, error) => errors.push(error),
    onLost: () => undefined,
  });
  const lose = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      tell({ room: ROOM, isThere: false });
      await jest.advanceTimersByTimeAsync(1_000);
    }
  };
  listener.follow(run);
  await jest.advanceTimersByTimeAsync(0);
  await lose(4);
  expect(errors).toEqual([]);
  await lose(10);
  expect(errors).toEqual([new Error('it was lost 5 times in a row')]);
  tell({ room: ROOM, isThere: true, agent: false, caller: false });
  await lose(5);
  expect(errors).toHaveLength(2);
});
