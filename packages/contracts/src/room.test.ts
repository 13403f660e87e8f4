import { expect, test } from '@jest/globals';
import { readRoomMark, roomOptions } from './room.js';

const ID = 'prewarm_abcdefghijklmnopqrst';
const TIMES = { deployment: 'd1', sessionTimeoutMs: 60_000, warmMaxAgeMs: 3_600_000, leaveGraceMs: 30_500 };

test('a room outlasts the longest life of its agent and the grace of its caller', () => {
  const options = roomOptions({ sessionId: ID, ...TIMES });
  expect(options).toMatchObject({
    name: `greenroom-${ID}`,
    emptyTimeoutSeconds: 4200,
    departureTimeoutSeconds: 331,
  });
  expect(roomOptions({ sessionId: ID, ...TIMES, sessionTimeoutMs: 7_200_000 }).emptyTimeoutSeconds).toBe(
    7800,
  );
});

test('its metadata carries our mark and who the caller is', () => {
  const { metadata } = roomOptions({ sessionId: ID, ...TIMES, userId: 'u1', userName: 'Ada', voiceId: 'v' });
  expect(JSON.parse(metadata)).toEqual({
    greenroom: { v: 1, sessionId: ID, deployment: 'd1' },
    userId: 'u1',
    userName: 'Ada',
    voiceId: 'v',
  });
  expect(readRoomMark(metadata)).toEqual({ sessionId: ID, deployment: 'd1' });
});

test.each(['', '{}', 'null', '[1]', '{"greenroom":{"v":1,"sessionId":"x"}}', '{"greenroom":7}', 'not json'])(
  '%j is no mark',
  (metadata) => {
    expect(readRoomMark(metadata)).toBeUndefined();
  },
);
