import { expect, test } from '@jest/globals';
import { TokenVerifier } from 'livekit-server-sdk';
import { mintAgentToken } from './agent-token.js';

const KEYS = { livekitApiKey: 'key', livekitApiSecret: 'a-secret-that-is-long-enough-for-this' };

test('an agent’s token is good for its own room, as kind agent, without admin rights, as long as it is asked to live', async () => {
  const token = await mintAgentToken(
    { sessionId: 'session_1', generation: 2, roomName: 'greenroom-session_1', lifeMs: 4_200_000 },
    KEYS,
  );
  const verifier = new TokenVerifier(KEYS.livekitApiKey, KEYS.livekitApiSecret);
  const claims = await verifier.verify(token);
  expect(claims).toMatchObject({ sub: 'agent-session_1-g2', kind: 'agent' });
  expect(claims.video).toEqual({
    roomJoin: true,
    room: 'greenroom-session_1',
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  });
  const leftS = (claims.exp ?? 0) - Date.now() / 1000;
  expect(leftS).toBeGreaterThan(4_190);
  expect(leftS).toBeLessThanOrEqual(4_200);
});
