import { agentIdentity } from '@greenroom/contracts';
import { AccessToken } from 'livekit-server-sdk';

export interface AgentTokenRequest {
  sessionId: string;
  generation: number;
  roomName: string;
  /** The token is looked at when an agent connects; it must outlast the wait of a warm one that reconnects. */
  lifeMs: number;
}

/** A token for one room, without admin rights, as kind `agent` so that LiveKit's components know it. */
export async function mintAgentToken(
  request: AgentTokenRequest,
  credentials: { livekitApiKey: string; livekitApiSecret: string },
): Promise<string> {
  const token = new AccessToken(credentials.livekitApiKey, credentials.livekitApiSecret, {
    identity: agentIdentity(request.sessionId, request.generation),
    name: 'Agent',
    ttl: Math.ceil(request.lifeMs / 1000),
  });
  token.kind = 'agent';
  token.addGrant({
    roomJoin: true,
    room: request.roomName,
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  });
  return token.toJwt();
}
