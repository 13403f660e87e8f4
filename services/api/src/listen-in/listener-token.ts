import {
  LISTENER_IDENTITY_PREFIX,
  LISTENER_ROLE,
  type ListenerMetadata,
  ROLE_ATTRIBUTE,
} from '@greenroom/contracts';
import { AccessToken } from 'livekit-server-sdk';
import { customAlphabet } from 'nanoid';
import type { LiveKitKeys } from '../livekit/caller-token.js';

const newIdentityPart = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 12);

/** For the first connection: whoever comes later asks anew, and the caller is told anew. */
const TTL_SECONDS = 60;
/** LiveKit takes a token for so much longer. */
const LEEWAY_SECONDS = 60;

export function newListenerIdentity(): string {
  return `${LISTENER_IDENTITY_PREFIX}${newIdentityPart()}`;
}

/**
 * A token that hears one room, seen by everybody in it, and does nothing else. It cannot take its mark off. Its kind is neither
 * that of a caller nor that of an agent: agents of other frameworks take the first standard participant for whom they talk to.
 */
export async function mintListenerToken(
  keys: LiveKitKeys,
  { identity, roomName }: { identity: string; roomName: string },
): Promise<string> {
  const metadata: ListenerMetadata = { joinBy: Date.now() + (TTL_SECONDS + LEEWAY_SECONDS) * 1_000 };
  const token = new AccessToken(keys.livekitApiKey, keys.livekitApiSecret, {
    identity,
    name: 'Listener',
    ttl: TTL_SECONDS,
    metadata: JSON.stringify(metadata),
    attributes: { [ROLE_ATTRIBUTE]: LISTENER_ROLE },
  });
  token.kind = 'ingress';
  token.addGrant({
    roomJoin: true,
    room: roomName,
    hidden: false,
    canSubscribe: true,
    canPublish: false,
    canPublishData: false,
    canUpdateOwnMetadata: false,
    roomAdmin: false,
  });
  return token.toJwt();
}
