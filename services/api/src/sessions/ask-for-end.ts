import type { EndArguments, EndManyArguments, EndManyResult, EndResult } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';

/** What a part of the api needs that ends sessions. */
export interface EndContext {
  readonly redis: Pick<ApiContext['redis'], 'sessions'>;
  readonly rooms: Pick<ApiContext['rooms'], 'close'>;
}

/** Asks for the end of a session, whoever wants it and why: the owner of the process does the rest. */
export async function askForEnd({ redis, rooms }: EndContext, args: EndArguments): Promise<EndResult> {
  const result = await redis.sessions.requestEnd(args);
  // Nobody else may be there to do it, and nobody waits for it.
  if (result.status === 'fenced') void rooms.close(result.session.roomName);
  return result;
}

/** The same for all that match. A dry run counts them. */
export async function askForEnds(
  { redis, rooms }: EndContext,
  args: EndManyArguments,
): Promise<Pick<EndManyResult, 'matched' | 'asked'>> {
  let matched = 0;
  let asked = 0;
  let cursor: EndManyResult['next'];
  do {
    const page = await redis.sessions.endMatching(args, cursor);
    for (const roomName of page.fencedRooms) void rooms.close(roomName);
    matched += page.matched;
    asked += page.asked;
    cursor = page.next;
  } while (cursor !== undefined);
  return { matched, asked };
}
