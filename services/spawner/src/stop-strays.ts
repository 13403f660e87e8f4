import { rm } from 'node:fs/promises';
import {
  deleteLaunchRecord,
  type LaunchRecord,
  readIdentity,
  type StopResult,
  stopTree,
  UnsafeTargetError,
  withLaunchCookie,
} from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';

/** Ends a process that no session wants, its record, and what people said to it. */
export async function stopStray(context: SpawnerContext, record: LaunchRecord): Promise<void> {
  try {
    const stopped = await stopRecorded(context, record);
    if (stopped.outcome === 'kill_failed') return raiseAlarm(context, stopped.survivors);
  } catch (error) {
    if (!(error instanceof UnsafeTargetError)) throw error;
    await stopLaunch(context, record.launchId);
  }
  await rm(record.eventsFile, { force: true });
  await deleteLaunchRecord(context.state.root, record.sessionId);
}

export function stopRecorded({ config }: SpawnerContext, record: LaunchRecord): Promise<StopResult> {
  const { identity, remembered = [], cgroup } = record;
  return stopTree({ identity, remembered, cgroup, graceMs: config.terminationGraceMs });
}

/**
 * Ends whatever carries a launch's cookie, where there is no record of its first process.
 * @returns whether nothing of it has survived
 */
export async function stopLaunch(context: SpawnerContext, launch: string | undefined): Promise<boolean> {
  let isGone = true;
  if (launch === undefined) return isGone;
  for (const member of await withLaunchCookie(launch)) {
    const identity = readIdentity(member.pid, launch);
    if (identity === undefined || identity.startTime !== member.startTime) continue;
    const stopped = await stopTree({ identity, graceMs: context.config.terminationGraceMs });
    if (stopped.outcome !== 'kill_failed') continue;
    isGone = false;
    raiseAlarm(context, stopped.survivors);
  }
  return isGone;
}

function raiseAlarm({ logger }: SpawnerContext, survivors: readonly { pid: number }[]): void {
  logger.error('ALARM: processes survived SIGKILL', { survivors: survivors.map((it) => it.pid) });
}
