import { CodedError, type JoinDetails, type RoomOptions, roomOptions } from '@greenroom/contracts';
import type { SessionRecord } from '@greenroom/redis-schema';
import type { ApiConfig } from '../config.js';
import { type CallerTokenRequest, mintCallerToken } from '../livekit/caller-token.js';

/** The room of a session, as api and spawner make it. */
export function roomOf(
  session: SessionRecord,
  config: ApiConfig,
  deployment: string | undefined,
): RoomOptions {
  return roomOptions({ ...config, ...callerOf(session), sessionId: session.id, deployment });
}

/** @throws CodedError `session_not_joinable` when the session has no room for a caller */
export async function joinDetails(
  session: SessionRecord,
  config: ApiConfig,
  request: Partial<CallerTokenRequest> = {},
): Promise<JoinDetails> {
  if (!isJoinable(session)) throw new CodedError('session_not_joinable');
  const room = request.room ?? roomOf(session, config, undefined);
  return {
    roomName: room.name,
    livekitUrl: config.livekitPublicUrl,
    token: await mintCallerToken(config, { ...callerOf(session), ...definedOnly(request), room }),
  };
}

function isJoinable({ status, owner }: SessionRecord): boolean {
  switch (status) {
    case 'starting':
    case 'ready':
    case 'restarting':
      return owner === 'caller';
    case 'queued':
    case 'pooled':
    case 'ending':
    case 'error':
      return false;
  }
}

function callerOf({
  userId,
  userName,
  voiceId,
}: SessionRecord): Pick<CallerTokenRequest, 'userId' | 'userName' | 'voiceId'> {
  return { userId, userName, voiceId };
}

function definedOnly<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T;
}
