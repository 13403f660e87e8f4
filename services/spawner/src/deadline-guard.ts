import { checkIdentity, type LaunchRecord, listLaunchRecords, stopTree } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

/** A timer takes at most 2^31 - 1 ms and would otherwise fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Time for Redis to be heard: only when it is away may the clock of this machine, which can be set, end a call. */
const HEARING_MS = 2000;
const RETRY_MS = 100;

/**
 * Keeps the deadlines of calls that go on while this spawner waits for Redis: nothing can be adopted yet, but a promised
 * limit holds. A warm agent is left alone; it may have been given to a caller.
 *
 * @returns ends the guard; called once the launches are adopted and keep their deadlines themselves
 */
export async function guardDeadlines(context: SpawnerContext): Promise<() => void> {
  const { records } = await listLaunchRecords(context.state.root);
  const timers = new Map<LaunchRecord, NodeJS.Timeout>();
  const arm = (record: LaunchRecord, deadlineAt: number, leastMs: number): void => {
    const leftMs = deadlineAt - context.redis.clock.now();
    const endIfOver = (): void => {
      if (context.redis.clock.now() >= deadlineAt) void end(context, record);
      // A clock was set, or the timer was early.
      else arm(record, deadlineAt, RETRY_MS);
    };
    const waitMs = Math.min(Math.max(leftMs, leastMs), LONGEST_TIMER_MS);
    timers.set(record, setTimeout(endIfOver, waitMs).unref());
  };
  for (const record of records) {
    if (record.deadlineAt === undefined || record.session?.owner !== 'caller') continue;
    arm(record, record.deadlineAt, HEARING_MS);
  }
  return () => {
    for (const timer of timers.values()) clearTimeout(timer);
  };
}

/** The session itself is ended at its adoption: its agent is gone, and its deadline over. */
async function end(context: SpawnerContext, record: LaunchRecord): Promise<void> {
  const { config, logger, rooms } = context;
  const session = shortId(record.sessionId);
  if (checkIdentity(record.identity) !== 'alive') return;
  logger.warn('a call is over its limit while Redis is away', { session });
  try {
    const { identity, remembered = [], cgroup } = record;
    await stopTree({ identity, remembered, cgroup, graceMs: config.terminationGraceMs });
    await rooms.delete(record.roomName);
  } catch (error) {
    logger.error('a call over its limit could not be ended', { session, error });
  }
}
