import type { RoomOptions } from '@greenroom/contracts';
import type { SessionRecord } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { roomOf } from './join-room.js';

type OpenRoomContext = Pick<ApiContext, 'redis' | 'rooms' | 'logger' | 'config'>;

/**
 * Makes the room of a session, so that its caller can join before a spawner has looked. The session may end meanwhile, and
 * with it its room before ours is made: so it is read once more afterwards, and nobody waits for that. Whoever ends it
 * later deletes what is there now. Never rejects.
 */
export async function openRoom(
  context: OpenRoomContext,
  session: SessionRecord,
  deployment: string | undefined,
): Promise<void> {
  const room = roomOf(session, context.config, deployment);
  const sid = await context.rooms.open(room);
  if (sid === undefined) return;
  closeIfOver(context, session.id, room, sid).catch((error: unknown) => {
    context.logger.warn('whether a room is still wanted is not known; the sweep finds out', { error });
  });
}

async function closeIfOver(
  { redis, rooms }: OpenRoomContext,
  sessionId: string,
  { name }: RoomOptions,
  sid: string,
): Promise<void> {
  const found = await redis.sessions.read(sessionId);
  if (found.status === 'live' && !isLeftBehind(found.session, sid)) return;
  await rooms.close(name);
}

/** Of a session that may be over. One that is ending may still need the room that its agent is in, and deletes that one itself. */
export function isLeftBehind({ status, roomSid }: SessionRecord, sid: string): boolean {
  return status === 'error' || (status === 'ending' && roomSid !== sid);
}
