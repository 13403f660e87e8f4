import type { UnclaimedLaunch } from '@greenroom/redis-schema';
import pLimit from 'p-limit';
import { type SpawnerContext, shortId } from '../spawner-context.js';
import { presenceRules } from './presence-rules.js';

/** LiveKit is asked about so many rooms at once. */
const LOOKS_AT_ONCE = 4;

/**
 * Sees whether callers are still there whose launch nobody has claimed: one who has gone would hold a place for nobody. The
 * same step decides as for a room with an agent, with the same times; what LiveKit cannot tell is unknown and ends nothing.
 */
export class UnclaimedWatch {
  readonly #context: SpawnerContext;
  readonly #limit = pLimit(LOOKS_AT_ONCE);
  readonly #underWay = new Set<string>();

  constructor(context: SpawnerContext) {
    this.#context = context;
  }

  /** Returns at once. What could not be seen now comes again. */
  take(unclaimed: readonly UnclaimedLaunch[]): void {
    for (const it of unclaimed) {
      if (this.#underWay.has(it.sessionId)) continue;
      this.#underWay.add(it.sessionId);
      void this.#limit(() => this.#look(it))
        .catch((error: unknown) => {
          const session = shortId(it.sessionId);
          this.#context.logger.debug('the room of a call that waits for its agent was not seen', {
            session,
            error,
          });
        })
        .finally(() => this.#underWay.delete(it.sessionId));
    }
  }

  async #look({ sessionId, generation, roomName, roomSid }: UnclaimedLaunch): Promise<void> {
    const { rooms, redis, metrics, logger } = this.#context;
    metrics.roomLooks.inc();
    const seenAt = redis.clock.now();
    const ref = { sessionId, generation };
    const { caller, callerSince } = await rooms.whoIsIn(roomName, ref);
    // That nobody is there says something only of the room that they were in.
    if (caller !== 'present' && !(await this.#isSameRoom(roomName, roomSid))) return;
    const seen = { seenAt, caller, callerSince, agent: 'unknown' } as const;
    const { status } = await redis.rooms.notePresence(ref, seen, presenceRules(this.#context));
    if (status !== 'ending') return;
    logger.info('a caller has gone who waited for an agent', { session: shortId(sessionId) });
  }

  /** Without a room no caller could come: its launch makes it. */
  async #isSameRoom(roomName: string, roomSid: string | undefined): Promise<boolean> {
    return roomSid !== undefined && (await this.#context.rooms.sidsOf([roomName])).get(roomName) === roomSid;
  }
}
