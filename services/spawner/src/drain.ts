import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionEnds } from './end-session.js';
import type { HostPresence } from './host-presence.js';
import type { SpawnerContext } from './spawner-context.js';

const LOOK_MS = 200;

/** Ends warm agents now, waits for calls until DRAIN_TIMEOUT, and then ends those that are left. */
export async function drain(
  context: SpawnerContext,
  parts: { ends: SessionEnds; presence: HostPresence },
  hurry: AbortSignal,
): Promise<void> {
  const { runs, config, logger } = context;
  await parts.presence.drain();
  await endAll(context, parts.ends, (owner) => owner === 'pool');
  const until = Date.now() + config.drainTimeoutMs;
  if (runs.size > 0) logger.info('draining, calls go on', { calls: runs.size });
  while (runs.size > 0 && Date.now() < until && !hurry.aborted) {
    await sleep(LOOK_MS, undefined, { signal: hurry }).catch(() => undefined);
  }
  await endAll(context, parts.ends, () => true);
}

async function endAll(
  context: SpawnerContext,
  ends: SessionEnds,
  isMeant: (owner: 'pool' | 'caller') => boolean,
): Promise<void> {
  const { redis, runs, logger } = context;
  await Promise.all(
    runs.all().map(async (run) => {
      // A warm agent may have been given to a caller a moment ago: the step that ends it is told what it must be.
      const found = await redis.sessions.read(run.id);
      if (found.status !== 'live' || !isMeant(found.session.owner)) return;
      const answer = await redis.sessions.requestEnd({
        sessionId: run.id,
        reason: 'host_drained',
        by: 'spawner',
        expectStatus: found.session.status,
      });
      if (answer.status === 'refused') logger.info('a session changed while it was drained; looking again');
      else await ends.end(run.id);
    }),
  );
}
