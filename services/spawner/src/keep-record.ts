import { encodeSession } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import { deleteLaunchRecord, isUnreadable, readLaunchRecord, writeLaunchRecord } from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';

/** Brings the record on disk up to date with what was learnt since the launch: helpers, the caller, its deadline, the room. */
export function keepRecord(context: SpawnerContext, run: AgentRun): Promise<void> {
  const work = keep(context, run);
  run.recordKept = Promise.allSettled([run.recordKept, work]);
  return work;
}

async function keep({ state, runs }: SpawnerContext, run: AgentRun): Promise<void> {
  // Until it runs, its launch writes the record; one that is gone needs none.
  if (run.phase === 'launching' || run.phase === 'settling') return;
  const record = await readLaunchRecord(state.root, run.id);
  if (record === undefined || isUnreadable(record) || record.launchId !== run.ref.launch) return;
  const { roomSid = record.roomSid } = run;
  const learnt = {
    remembered: run.remembered,
    deadlineAt: run.session.deadlineAt,
    roomSid,
    session: encodeSession(run.session),
  };
  const { remembered = [], deadlineAt, session } = record;
  const known = { remembered, deadlineAt, roomSid: record.roomSid, session };
  if (JSON.stringify(known) === JSON.stringify(learnt)) return;
  await writeLaunchRecord(state.root, { ...record, ...learnt });
  // The session may have ended meanwhile; its record must not come back.
  if (runs.get(run.id) !== run) await deleteLaunchRecord(state.root, run.id);
}
