import { AccessToken } from 'livekit-server-sdk';

const LIFE_SECONDS = 600;

/**
 * A token to listen in one room. Hidden, so that nobody there sees the listener; with LiveKit's grant of an agent, so that it
 * keeps no room open (LiveKit counts a room as empty where only such are left), and not as a recorder, which clients show.
 * Nor is it anybody to us: its kind is that of no agent, and its identity that of no caller.
 */
export async function mintEarToken(
  { sessionId, roomName }: { sessionId: string; roomName: string },
  credentials: { livekitApiKey: string; livekitApiSecret: string },
): Promise<string> {
  const token = new AccessToken(credentials.livekitApiKey, credentials.livekitApiSecret, {
    identity: `ear-${sessionId}`,
    ttl: LIFE_SECONDS,
  });
  token.kind = 'ingress';
  token.addGrant({
    roomJoin: true,
    room: roomName,
    hidden: true,
    agent: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: false,
  });
  return token.toJwt();
}
