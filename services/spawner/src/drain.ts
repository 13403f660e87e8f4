import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnavailableError, type SessionRecord } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import type { SessionEnds } from './end-session.js';
import type { HostPresence } from './host-presence.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

const LOOK_MS = 200;
const MOST_UNCLAIMED = 1000;
/** Beyond the grace, for trees that must be killed while Redis cannot confirm their end. */
const KILL_MARGIN_MS = 8000;

/** Ends warm agents now, waits for calls until DRAIN_TIMEOUT, and then ends those that are left. */
export async function drain(
  context: SpawnerContext,
  parts: { ends: SessionEnds; presence: HostPresence },
  hurry: AbortSignal,
): Promise<void> {
  const { runs, config, logger } = context;
  await parts.presence.drain();
  await Promise.all(runs.all().map((run) => endIfWarm(context, parts.ends, run)));
  const until = performance.now() + config.drainTimeoutMs;
  if (runs.size > 0) logger.info('draining, calls go on', { calls: runs.size });
  while (runs.size > 0 && performance.now() < until && !hurry.aborted) {
    await sleep(LOOK_MS, undefined, { signal: hurry }).catch(() => undefined);
  }
  await Promise.all(runs.all().map((run) => endWhateverItIs(context, parts.ends, run)));
  await endUnclaimed(context, parts.ends).catch((error: unknown) => {
    logger.warn('starts that nobody has claimed could not be ended', { error });
  });
}

/** Without another host nobody would launch these before we are back, when their callers are long gone. */
async function endUnclaimed({ redis }: SpawnerContext, ends: SessionEnds): Promise<void> {
  if ((await redis.health.read()).hosts > 1) return;
  for (const status of ['starting', 'restarting'] as const) {
    const { sessions } = await redis.sessions.list({ status }, { limit: MOST_UNCLAIMED });
    const unclaimed = sessions.filter((session) => session.host === undefined);
    for (const { id, roomName } of unclaimed) {
      const answer = await redis.sessions.requestEnd({
        sessionId: id,
        reason: 'host_drained',
        by: 'spawner',
        expectStatus: status,
      });
      if (answer.status === 'gone') await ends.deleteRoom(roomName);
    }
  }
}

/** What cannot be asked may have been given to a caller: it waits with the calls. */
async function endIfWarm(context: SpawnerContext, ends: SessionEnds, run: AgentRun): Promise<void> {
  try {
    for (;;) {
      const found = await context.redis.sessions.read(run.id);
      if (found.status !== 'live' || found.session.owner !== 'pool') return;
      if (await askIfStill(context, found.session)) return await ends.end(run.id);
    }
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    context.logger.warn('a warm agent cannot be ended yet', { session: shortId(run.id), error });
  }
}

/** It may be pooled, or given to a caller, between the look and the step: then it is looked at again. */
async function askIfStill({ redis }: SpawnerContext, { id, status }: SessionRecord): Promise<boolean> {
  const answer = await redis.sessions.requestEnd({
    sessionId: id,
    reason: 'host_drained',
    by: 'spawner',
    expectStatus: status,
  });
  return answer.status !== 'refused';
}

/** Waits for Redis only as long as it takes to be sure of the processes. */
async function endWhateverItIs(context: SpawnerContext, ends: SessionEnds, run: AgentRun): Promise<void> {
  const answer = await context.redis.sessions
    .requestEnd({ sessionId: run.id, reason: 'host_drained', by: 'spawner', expectLaunch: run.ref.launch })
    .catch(() => undefined);
  // Its call goes on elsewhere.
  if (answer?.status === 'refused') return ends.drop(run);
  const limit = sleep(context.config.terminationGraceMs + KILL_MARGIN_MS, undefined, { ref: false });
  await Promise.race([ends.end(run.id, 'host_drained'), limit]);
}
