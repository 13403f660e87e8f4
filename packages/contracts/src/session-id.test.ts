import { expect, test } from '@jest/globals';
import { isSessionId, roomNameOf, sessionIdOfRoom } from './session-id.js';

const ID = 'session_abcdefghijklmnopqrst';

test.each([
  [ID, true],
  ['prewarm_ABCDEFGHIJ-_0123456789', true],
  ['session_short', false],
  ['session_abcdefghijklmnopqrst:x', false],
  ['session_abcdefghijklmnopqr/../', false],
  [`${ID}\n`, false],
  [`session_${'a'.repeat(500)}`, false],
])('%j is an id: %s', (value, expected) => {
  expect(isSessionId(value)).toBe(expected);
});

test('a room name leads back to its session, and a stranger does not', () => {
  expect(sessionIdOfRoom(roomNameOf(ID))).toBe(ID);
  expect(sessionIdOfRoom('my-room')).toBeUndefined();
  expect(sessionIdOfRoom('greenroom-lobby')).toBeUndefined();
});
