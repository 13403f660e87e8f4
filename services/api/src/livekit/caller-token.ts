import { CALLER_IDENTITY_PREFIX, type RoomOptions } from '@greenroom/contracts';
import { AccessToken, RoomConfiguration } from 'livekit-server-sdk';
import { customAlphabet } from 'nanoid';

const newIdentityPart = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 12);

/** Only the first connection needs it: a connected client is sent fresh ones by LiveKit. */
const TTL_SECONDS = 600;

export interface CallerTokenRequest {
  readonly room: RoomOptions;
  readonly userId?: string | undefined;
  readonly userName?: string | undefined;
  readonly voiceId?: string | undefined;
  /** What a client wants to carry besides; never takes the place of ours. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: string | undefined;
}

export interface LiveKitKeys {
  readonly livekitApiKey: string;
  readonly livekitApiSecret: string;
}

/**
 * A token to join one room as a caller, with a fresh identity of ours: a second join under one identity throws out the
 * first, and nobody but us may decide who counts as a caller.
 */
export async function mintCallerToken(keys: LiveKitKeys, request: CallerTokenRequest): Promise<string> {
  const { room, userId, userName, voiceId, metadata } = request;
  const token = new AccessToken(keys.livekitApiKey, keys.livekitApiSecret, {
    identity: `${CALLER_IDENTITY_PREFIX}${newIdentityPart()}`,
    ttl: TTL_SECONDS,
    attributes: { ...request.attributes, ...definedOnly({ userId, userName, voiceId }) },
    ...(userName !== undefined && { name: userName }),
    ...(metadata !== undefined && { metadata }),
  });
  token.addGrant({
    roomJoin: true,
    room: room.name,
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: false,
    roomAdmin: false,
  });
  // Counts only where LiveKit lets a join create the room. Naming agents here would dispatch a worker beside ours.
  token.roomConfig = new RoomConfiguration({
    emptyTimeout: room.emptyTimeoutSeconds,
    departureTimeout: room.departureTimeoutSeconds,
    metadata: room.metadata,
  });
  return token.toJwt();
}

function definedOnly(attributes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
