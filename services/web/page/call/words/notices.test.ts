import { describe, expect, test } from '@jest/globals';
import { type Call, type Microphone, newCall, type RoomFacts } from '../state/call-state.js';
import { noticeOf } from './notices.js';

const joined: RoomFacts = { connection: 'joined', hasAgent: true, isListenedTo: false, canPlay: true };
const talking = (more: Partial<Call> = {}): Call => ({
  ...newCall(0, 'asking'),
  status: 'ready',
  marks: { askedAt: 0, readyAt: 10 },
  room: joined,
  microphone: 'on',
  ...more,
});

test('nothing stands in the way of most calls', () => {
  for (const microphone of ['on', 'muted', 'off'] as const)
    expect(noticeOf(talking({ microphone }))).toBeUndefined();
});

describe('a microphone that cannot be used', () => {
  test.each<Microphone>(['refused', 'missing', 'busy', 'failed', 'insecure'])(
    '%s: there are words, and the call goes on by text',
    (microphone) => {
      const notice = noticeOf(talking({ microphone }));
      expect(notice).toMatchObject({ id: 'microphone', text: expect.stringContaining('can type') });
      // Another address is needed then; trying again would be in vain.
      expect(notice?.action === undefined).toBe(microphone === 'insecure');
    },
  );

  test('while the browser asks, that is said at once, before the agent is there', () => {
    const call = talking({ microphone: 'asking', marks: { askedAt: 0 } });
    expect(noticeOf(call)?.title).toBe('Allow the microphone');
  });
});

test('what matters more comes first: the connection, the agent, the sound', () => {
  const silent: Partial<Call> = { microphone: 'refused', room: { ...joined, canPlay: false } };
  expect(noticeOf(talking(silent))?.id).toBe('sound');
  expect(noticeOf(talking({ ...silent, status: 'restarting' }))?.id).toBe('agent');
  for (const connection of ['lost', 'reconnecting'] as const)
    expect(noticeOf(talking({ status: 'restarting', room: { ...joined, connection } }))?.id).toBe(
      'connection',
    );
  expect(noticeOf(talking({ ...silent, room: { ...joined, connection: 'joining' } }))).toBeUndefined();
});
