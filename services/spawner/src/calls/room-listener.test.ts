import type { CallEvent } from '@greenroom/dead-air';
import { expect, test } from '@jest/globals';
import type { AgentRun } from '../agent-run.js';
import { RoomListener } from './room-listener.js';

const ROOM = 'greenroom-a';

test('another agent in the call is told of who speaks already: what the one before it heard is over', async () => {
  const told: CallEvent[] = [];
  let tell: (message: unknown) => void = () => undefined;
  const listener = new RoomListener({
    livekitUrl: 'ws://127.0.0.1',
    start: (_program, { onMessage }) => {
      tell = onMessage;
      return { send: () => undefined, kill: () => undefined };
    },
    mintToken: () => Promise.resolve('token'),
    now: () => 1,
    hear: (_run, heard) => told.push(...heard),
    onError: () => undefined,
    onLost: () => undefined,
  });
  const launch = () => ({ phase: 'serving', profile: { events: 'room' }, session: { roomName: ROOM } });
  listener.follow(launch() as AgentRun);
  await Promise.resolve();
  tell({ room: ROOM, isThere: true, agent: false, caller: true });
  told.length = 0;
  listener.follow(launch() as AgentRun);
  expect(told).toContainEqual({ kind: 'caller_speaking', active: true, at: 1 });
  expect(told).not.toContainEqual(expect.objectContaining({ kind: 'work_started' }));
});
