import { expect, test } from '@jest/globals';
import { answerCommand, linkCommand } from './link.js';

const target = { room: 'greenroom-a', sessionId: 'session_a' };
const nothing = { telnyxLink: undefined, telnyxSipUri: undefined, telnyxStreamUrl: undefined };

test('by SIP a call is transferred to the room once it is answered', () => {
  const sip = { ...nothing, telnyxLink: 'sip', telnyxSipUri: 'sip:{room}@sip.test' } as const;
  expect(answerCommand(sip, target)).toEqual({ kind: 'answer' });
  expect(linkCommand(sip, target)).toEqual({ kind: 'transfer', to: 'sip:greenroom-a@sip.test' });
});

test('by a media stream its audio goes to the address from the answer on, and nothing is transferred', () => {
  const url = 'wss://bridge.test/{sessionId}/{room}';
  const stream = { ...nothing, telnyxLink: 'stream', telnyxStreamUrl: url } as const;
  const streamUrl = 'wss://bridge.test/session_a/greenroom-a';
  expect(answerCommand(stream, target)).toEqual({ kind: 'answer', streamUrl });
  expect(linkCommand(stream, target)).toBeUndefined();
});

test('where nobody says how, a call is answered and stays with Telnyx', () => {
  expect(answerCommand(nothing, target)).toEqual({ kind: 'answer' });
  expect(linkCommand(nothing, target)).toBeUndefined();
});
