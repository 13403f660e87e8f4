import type { SessionRecord } from '@greenroom/redis-schema';
import { AgentRun } from './agent-run.js';
import { AgentOutput } from './agents/agent-output.js';
import type { SessionEnds } from './end-session.js';
import {
  awaitAdoptedExit,
  checkIdentity,
  deleteLaunchRecord,
  type LaunchRecord,
  listLaunchRecords,
  readIdentity,
  stopTree,
  withLaunchCookie,
} from './process/index.js';
import type { SessionLifecycle } from './session-lifecycle.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { untilAnswered } from './until-answered.js';

interface Parts {
  lifecycle: SessionLifecycle;
  ends: SessionEnds;
}

/**
 * Puts this host's processes and its sessions together again: an agent that lives and is wanted is adopted, one that is
 * not wanted is ended, and a session whose agent is gone is failed or ended. Finished before new work is taken.
 */
export async function adoptAll(
  context: SpawnerContext,
  parts: Parts,
  hostSessions: readonly string[],
): Promise<{ adopted: number; ended: number }> {
  const { records, unreadable } = await listLaunchRecords(context.state.root);
  for (const it of unreadable)
    context.logger.error('a launch record cannot be read; it is left alone', { ...it });
  let adopted = 0;
  for (const record of records) {
    if (await adoptRecord(context, parts, record)) adopted += 1;
  }
  const known = new Set(records.map((record) => record.sessionId));
  const unknown = hostSessions.filter((id) => !known.has(id) && context.runs.get(id) === undefined);
  for (const sessionId of unknown) await settleUnrecorded(context, parts, sessionId);
  return { adopted, ended: records.length - adopted + unknown.length };
}

/** @returns whether the agent lives on under our watch */
async function adoptRecord(context: SpawnerContext, parts: Parts, record: LaunchRecord): Promise<boolean> {
  const { redis, leaving, logger } = context;
  const found = await untilAnswered(() => redis.sessions.read(record.sessionId), leaving);
  const state = checkIdentity(record.identity);
  const session = found.status === 'live' ? found.session : undefined;
  const isCurrent = session?.launch === record.launchId && session.generation === record.generation;
  logger.info('found a launch of an earlier life', {
    session: shortId(record.sessionId),
    process: state,
    status: session?.status ?? 'none',
    isCurrent,
  });
  if (session === undefined || !isCurrent) {
    await stopStray(context, record);
    return false;
  }
  // A gate that was never opened has closed with its spawner; what is left of it leaves by itself.
  const isAlive = state === 'alive' && session.agentPid !== undefined;
  if (session.status === 'ending' || !isAlive) {
    await settleDead(context, parts, record, session);
    return false;
  }
  const run = takeOver(context, parts, record, session);
  if (run === undefined) return false;
  const ageMs = performance.now() - run.startedAtMs;
  void parts.lifecycle.resume(run, run.profile.startupTimeoutMs - ageMs);
  return true;
}

function takeOver(
  context: SpawnerContext,
  parts: Parts,
  record: LaunchRecord,
  session: SessionRecord,
): AgentRun | undefined {
  const profile = context.profiles.get(record.profile);
  if (profile === undefined) {
    context.logger.error('an agent of a profile that is gone cannot be adopted', { profile: record.profile });
    return undefined;
  }
  const ref = { sessionId: record.sessionId, generation: record.generation, launch: record.launchId };
  const run = new AgentRun(ref, session, profile, Date.now() - (session.claimedAt ?? Date.now()));
  run.identity = record.identity;
  run.remembered = record.remembered ?? [];
  run.cgroup = record.cgroup;
  run.eventsFile = record.eventsFile;
  run.exited = awaitAdoptedExit(record.identity, { signal: context.leaving });
  run.exited.catch(() => undefined);
  run.output = new AgentOutput(context, run, (reason) => parts.ends.agentSaidEnd(run, reason));
  context.runs.add(run);
  return run;
}

/** The agent is gone, or is asked to end: whatever is left of its tree goes, then the session is told. */
async function settleDead(
  context: SpawnerContext,
  parts: Parts,
  record: LaunchRecord,
  session: SessionRecord,
): Promise<void> {
  await stopStray(context, record);
  await settleSession(context, parts, session);
}

/**
 * A session that this host has claimed and of which it knows no process.
 * @returns false when it turns out that there is nothing to settle
 */
export async function settleUnrecorded(
  context: SpawnerContext,
  parts: Parts,
  sessionId: string,
): Promise<boolean> {
  const { redis, runs, state, leaving } = context;
  const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
  if (found.status !== 'live' || found.session.host !== state.hostId) return false;
  if (runs.accountsFor(found.session.launch)) return false;
  await stopLaunch(context, found.session.launch);
  await settleSession(context, parts, found.session);
  return true;
}

/** Tells the session that its agent is gone. */
async function settleSession(context: SpawnerContext, parts: Parts, session: SessionRecord): Promise<void> {
  const { redis, leaving } = context;
  const { launch } = session;
  switch (session.status) {
    case 'starting':
    case 'restarting':
      if (launch === undefined) return;
      await parts.lifecycle.failUnlaunched(
        { ...session, launch },
        'The spawner was restarted before the agent was ready.',
      );
      return;
    case 'ready':
    case 'pooled':
      await untilAnswered(
        () =>
          redis.sessions.requestEnd({
            sessionId: session.id,
            reason: 'agent_crashed',
            by: 'spawner',
            expectGeneration: session.generation,
          }),
        leaving,
      );
      await parts.ends.end(session.id);
      return;
    case 'ending':
      await parts.ends.end(session.id);
      return;
    case 'queued':
    case 'error':
      return;
  }
}

/** Ends a process that no session wants, and its record. */
async function stopStray(context: SpawnerContext, record: LaunchRecord): Promise<void> {
  const { config, state, logger } = context;
  const stopped = await stopTree({
    identity: record.identity,
    remembered: record.remembered ?? [],
    cgroup: record.cgroup,
    graceMs: config.terminationGraceMs,
  });
  if (stopped.outcome === 'kill_failed') {
    logger.error('ALARM: processes survived SIGKILL', { survivors: stopped.survivors.map((it) => it.pid) });
    return;
  }
  await deleteLaunchRecord(state.root, record.sessionId);
}

/** Ends whatever carries a launch's cookie, where there is no record of its first process. */
export async function stopLaunch(context: SpawnerContext, launch: string | undefined): Promise<void> {
  if (launch === undefined) return;
  for (const member of await withLaunchCookie(launch)) {
    const identity = readIdentity(member.pid, launch);
    if (identity === undefined || identity.startTime !== member.startTime) continue;
    await stopTree({ identity, graceMs: context.config.terminationGraceMs });
  }
}
