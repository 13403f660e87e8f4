import type { EndedBy, EndReason } from '@greenroom/contracts';
import type { CallRecord } from '@greenroom/redis-schema';
import { askForEnd, type EndContext } from '../../sessions/ask-for-end.js';

export interface PhoneEnd {
  readonly reason: EndReason;
  readonly by: EndedBy;
  readonly detail?: string;
}

/** Asks for the end of the session that has the call, through the door that every end goes through. */
export async function endPhoneSession(
  context: EndContext,
  { sessionId, isOver }: Pick<CallRecord, 'sessionId' | 'isOver'>,
  end: PhoneEnd,
): Promise<void> {
  if (sessionId === undefined || isOver) return;
  await askForEnd(context, { sessionId, ...end });
}
