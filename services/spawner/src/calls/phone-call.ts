import type { SessionRecord } from '@greenroom/redis-schema';

type Session = Pick<SessionRecord, 'id' | 'callId' | 'callerJoinedAt'>;

/** Whether the caller of this session is on the telephone: in the room there is nobody then that we would know for a caller. */
export function isPhoneCall({ id, callId }: Session): boolean {
  return callId !== undefined && callId !== id;
}

/** Its telephone was answered. That it is hung up ends the session; LiveKit tells neither. */
export function isOnThePhone(session: Session): boolean {
  return isPhoneCall(session) && session.callerJoinedAt !== undefined;
}
