import { isSessionId } from '@greenroom/contracts';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { AdminApi } from './admin-api.js';

/** Ids of ours have 24 random characters; whatever is as long is taken as it is. */
const WHOLE_ID_LENGTH = 32;
/** How far back a prefix is looked for among those that are over. */
const ENDED_LOOKED_AT = 1_000;
const SHORTEST = 4;

/**
 * The whole id of what somebody typed: an id, or the beginning of one that is unique among the sessions that live, and where
 * none of these begins so, among those that ended last. `session_` and `prewarm_` may be left out.
 * @throws CliError, ApiError
 */
export async function findSessionId(api: AdminApi, typed: string): Promise<string> {
  if (isSessionId(typed) && typed.length >= WHOLE_ID_LENGTH) return typed;
  const live = (await api.liveSessions()).map(({ sessionId }) => sessionId);
  const ended = async () => (await api.endedSessions({}, ENDED_LOOKED_AT)).map(({ sessionId }) => sessionId);
  const found = pickById(live, typed) ?? pickById(await ended(), typed);
  if (found !== undefined) return found;
  throw new CliError(`No session has an id that begins with ${typed}.`, {
    exitCode: EXIT.notFound,
    next: 'greenroom ps lists the sessions that live, greenroom ps --history those that are over.',
  });
}

/** Undefined where none begins so. @throws CliError where several do */
export function pickById(ids: readonly string[], typed: string): string | undefined {
  const matches = ids.filter((id) => id.startsWith(typed) || randomPart(id).startsWith(typed));
  if (matches.length > 1 && !matches.includes(typed)) {
    throw new CliError(
      `${typed} is the beginning of ${matches.length} ids: ${matches.slice(0, 5).join(', ')}${matches.length > 5 ? ', …' : ''}.`,
      {
        exitCode: EXIT.usage,
        next: 'Type more of it.',
      },
    );
  }
  return matches.includes(typed) ? typed : matches[0];
}

/** The shortest beginnings, equally long, that tell these ids apart; at least four random characters. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  let length = SHORTEST;
  const cut = (id: string): string => id.slice(0, id.length - randomPart(id).length + length);
  const longest = Math.max(0, ...ids.map((id) => randomPart(id).length));
  while (length < longest && new Set(ids.map((id) => randomPart(cut(id)))).size < new Set(ids).size)
    length += 1;
  return new Map(ids.map((id) => [id, cut(id)]));
}

function randomPart(id: string): string {
  return id.slice(id.indexOf('_') + 1);
}
