import { CodedError, isSessionId } from '@greenroom/contracts';
import type { EndedRecord, InLine, ReadResult, RedisSchema, SessionRecord } from '@greenroom/redis-schema';
import type { Client } from '../http/authenticate.js';
import { isoTime } from './session-view.js';

/**
 * The live session of an id. A warm agent that belongs to nobody exists for admins only.
 * @throws CodedError `session_not_found` or `session_ended`
 */
export async function findSession(
  redis: Pick<RedisSchema, 'sessions'>,
  id: string,
  client: Client,
): Promise<SessionRecord> {
  return liveOf(await redis.sessions.read(requireSessionId(id)), client);
}

/**
 * The same for a caller who asks for its own session: in line, asking is what keeps the place. Its turn may have come with
 * the question.
 * @throws CodedError `session_not_found` or `session_ended`
 */
export async function findAsking(
  redis: Pick<RedisSchema, 'sessions'>,
  id: string,
  client: Client,
): Promise<{ session: SessionRecord; inLine: InLine | undefined }> {
  const session = await findSession(redis, id, client);
  if (session.status !== 'queued') return { session, inLine: undefined };
  const asked = await redis.sessions.askInLine(id);
  if (asked.status === 'queued') return { session: asked.session, inLine: asked };
  return { session: liveOf(asked, client), inLine: undefined };
}

function liveOf(result: ReadResult, client: Client): SessionRecord {
  switch (result.status) {
    case 'live':
      requireVisible(result.session, client);
      return result.session;
    case 'ended':
      throw sessionEnded(result.ended);
    case 'not_found':
      throw new CodedError('session_not_found');
  }
}

/** @throws CodedError for a warm agent that belongs to nobody, unless an admin asks */
export function requireVisible({ owner, quarantined }: SessionRecord, client: Client): void {
  if (owner === 'caller' || client.kind === 'admin') return;
  // Perhaps it was this caller's before the data was lost.
  throw new CodedError(quarantined ? 'recovering' : 'session_not_found');
}

/** Whatever is not formed like an id belongs to no session, and Redis is not asked about it. */
export function requireSessionId(id: string): string {
  if (!isSessionId(id)) throw new CodedError('session_not_found');
  return id;
}

export function sessionEnded({ endReason, endedAt, durationMs }: EndedRecord): CodedError {
  return new CodedError('session_ended', { extra: { endReason, endedAt: isoTime(endedAt), durationMs } });
}
