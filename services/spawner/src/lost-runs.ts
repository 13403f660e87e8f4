import type { AgentRun } from './agent-run.js';
import type { SessionEnds } from './end-session.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

/**
 * Ends agents of this host whose session is over or has another launch by now: somebody else has taken the decision while
 * we were not there. Only for data in the life that these launches stand in; another one may know nothing of them.
 *
 * @returns how many
 */
export async function endLostRuns(context: SpawnerContext, ends: SessionEnds): Promise<number> {
  const { runs, logger } = context;
  const serving = runs.all().filter((run) => run.phase === 'serving');
  const outcomes = await Promise.all(
    serving.map(async (run) => {
      const isLost = await hasLostItsSession(context, run);
      // It may have been given a new launch while we asked.
      if (!isLost || run.phase !== 'serving' || runs.get(run.id) !== run) return false;
      logger.warn('an agent has lost its session', { session: shortId(run.id) });
      await ends.drop(run);
      await deleteRoomIfOver(context, ends, run);
      return true;
    }),
  );
  return outcomes.filter(Boolean).length;
}

async function hasLostItsSession({ redis }: SpawnerContext, run: AgentRun): Promise<boolean> {
  const found = await redis.sessions.read(run.id);
  return found.status !== 'live' || found.session.launch !== run.ref.launch;
}

/** Where the session lives on with another launch, that one is in the room. */
async function deleteRoomIfOver({ redis }: SpawnerContext, ends: SessionEnds, run: AgentRun): Promise<void> {
  const found = await redis.sessions.read(run.id);
  if (found.status !== 'live') await ends.deleteRoom(run.session.roomName);
}
