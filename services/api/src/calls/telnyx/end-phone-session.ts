import type { EndedBy, EndReason } from '@greenroom/contracts';
import type { CallRecord } from '@greenroom/redis-schema';
import type { ApiContext } from '../../context.js';

export interface PhoneEnd {
  readonly reason: EndReason;
  readonly by: EndedBy;
  readonly detail?: string;
}

/** Asks for the end of the session that has the call, through the door that every end goes through. */
export async function endPhoneSession(
  { redis, rooms }: Pick<ApiContext, 'redis' | 'rooms'>,
  { sessionId, isOver }: Pick<CallRecord, 'sessionId' | 'isOver'>,
  end: PhoneEnd,
): Promise<void> {
  if (sessionId === undefined || isOver) return;
  const result = await redis.sessions.requestEnd({ sessionId, ...end });
  // Nobody else may be there to do it, and nobody waits for it.
  if (result.status === 'fenced') void rooms.close(result.session.roomName);
}
