import { rm } from 'node:fs/promises';
import { parseSession, RedisRecoveringError, type SessionRecord } from '@greenroom/redis-schema';
import { AgentRun } from './agent-run.js';
import { AgentOutput } from './agents/agent-output.js';
import type { SessionEnds } from './end-session.js';
import {
  awaitAdoptedExit,
  checkIdentity,
  deleteLaunchRecord,
  type LaunchRecord,
  listLaunchRecords,
  type ProcessExit,
  readIdentity,
  type StopResult,
  stopTree,
  UnsafeTargetError,
  withLaunchCookie,
} from './process/index.js';
import type { SessionLifecycle } from './session-lifecycle.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import type { Supervisor } from './supervisor.js';
import { untilAnswered, untilReachable } from './until-answered.js';

interface Parts {
  lifecycle: SessionLifecycle;
  ends: SessionEnds;
  supervisor: Supervisor;
}

/** What became of the launches and sessions of an earlier life. */
export interface AdoptionReport {
  /** Agents that live on under our watch. */
  adopted: number;
  /** Agents that had died, or were asked to end: their sessions are being brought to their end. */
  ending: number;
  /** Processes that no session wants any more, and sessions without any process. */
  settled: number;
  failed: number;
}

type Adoption = 'adopted' | 'ending' | 'settled';

/** How an agent ended that died while nobody watched: only a parent learns it. */
const UNSEEN_EXIT: ProcessExit = { code: null, signal: null };

/**
 * Puts this host's processes and its sessions together again: an agent that lives and is wanted is adopted, one that is
 * not wanted is ended, and a session whose agent is gone is failed or ended. All at once: one that takes its time to die
 * must not keep the calls beside it unwatched.
 *
 * @param registered `isSameLife`: the data knows all that this host ever published; if not, everything is published
 */
export async function adoptAll(
  context: SpawnerContext,
  parts: Parts,
  registered: { sessions: readonly string[]; isSameLife: boolean },
): Promise<AdoptionReport> {
  const { records, unreadable } = await listLaunchRecords(context.state.root);
  for (const it of unreadable)
    context.logger.error('a launch record cannot be read; it is left alone', { ...it });
  const known = new Set(records.map((record) => record.sessionId));
  const unrecorded = registered.sessions.filter((id) => !known.has(id));
  const { isSameLife } = registered;
  const outcomes = await Promise.all([
    ...records.map((record) =>
      reportFailure(context, record.sessionId, adoptRecord(context, parts, record, isSameLife)),
    ),
    ...unrecorded.map((id) => reportFailure(context, id, settleWithoutRecord(context, parts, id))),
  ]);
  const count = (wanted: Adoption | 'failed'): number => outcomes.filter((it) => it === wanted).length;
  return {
    adopted: count('adopted'),
    ending: count('ending'),
    settled: count('settled'),
    failed: count('failed'),
  };
}

/** One launch that cannot be dealt with must not keep the spawner from starting; the sweep finds it again. */
async function reportFailure(
  { logger }: SpawnerContext,
  sessionId: string,
  adoption: Promise<Adoption>,
): Promise<Adoption | 'failed'> {
  try {
    return await adoption;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    logger.error('a launch of an earlier life could not be settled', { session: shortId(sessionId), error });
    return 'failed';
  }
}

async function adoptRecord(
  context: SpawnerContext,
  parts: Parts,
  record: LaunchRecord,
  isSameLife: boolean,
): Promise<Adoption> {
  const standing = await untilAnswered(
    () => (isSameLife ? look(context, record) : publish(context, record)),
    context.leaving,
  );
  const state = checkIdentity(record.identity);
  context.logger.info('found a launch of an earlier life', {
    session: shortId(record.sessionId),
    process: state,
    standing: standing.kind,
    ...(standing.kind === 'current' && { status: standing.session.status }),
  });
  if (standing.kind !== 'current') {
    await stopStray(context, record);
    if (standing.kind === 'gone') await parts.ends.deleteRoom(record.roomName);
    return 'settled';
  }
  const { session } = standing;
  // A gate that was never opened has closed with its spawner; what is left of it leaves by itself.
  if (session.agentPid === undefined || record.phase === 'recorded') {
    await stopStray(context, record);
    await settleSession(parts, session);
    return 'settled';
  }
  return takeOver(context, parts, { record, session, isAlive: state === 'alive' });
}

/** `superseded`: the session is another launch's. `gone`: it is over. */
type Standing = { kind: 'current'; session: SessionRecord } | { kind: 'superseded' } | { kind: 'gone' };

async function look(context: SpawnerContext, record: LaunchRecord): Promise<Standing> {
  try {
    const found = await context.redis.sessions.read(record.sessionId);
    if (found.status !== 'live') return { kind: 'gone' };
    const isCurrent = found.session.launch === record.launchId;
    return isCurrent ? { kind: 'current', session: found.session } : { kind: 'superseded' };
  } catch (error) {
    // Lost since we registered: nobody but us can tell.
    if (error instanceof RedisRecoveringError) return publish(context, record);
    throw error;
  }
}

async function publish({ redis, state }: SpawnerContext, record: LaunchRecord): Promise<Standing> {
  const ref = { sessionId: record.sessionId, generation: record.generation, launch: record.launchId };
  // A gate that was never opened has closed with its spawner: it has no process that counts.
  const process = record.phase === 'recorded' ? undefined : record.identity;
  const answer = await redis.sessions.publishLaunch(ref, state.hostId, sessionOf(record), process);
  if (answer.status === 'ok') return { kind: 'current', session: answer.session };
  return { kind: answer.status };
}

/** As the host knew it last; a record of an older version says only what every record says. */
function sessionOf(record: LaunchRecord): SessionRecord {
  const { sessionId: id, profile, roomName, roomSid, logFile, deadlineAt, startedAt } = record;
  const isWarm = id.startsWith('prewarm_');
  const known = record.session ?? {
    profile,
    roomName,
    owner: isWarm ? 'pool' : 'caller',
    mode: isWarm ? 'prewarm' : 'user',
    prewarmed: isWarm ? '1' : '0',
    status: isWarm ? 'pooled' : 'ready',
    createdAt: String(startedAt),
    ...(deadlineAt !== undefined && { deadlineAt: String(deadlineAt) }),
  };
  return parseSession({ ...known, id, roomSid, logFile });
}

interface Found {
  record: LaunchRecord;
  session: SessionRecord;
  isAlive: boolean;
}

/** From here on it is a launch like any other: its end, and what comes after it, take the same ways. */
async function takeOver(
  context: SpawnerContext,
  parts: Parts,
  { record, session, isAlive }: Found,
): Promise<Adoption> {
  const profile = context.profiles.get(record.profile);
  if (profile === undefined) {
    context.logger.error('an agent of a profile that is gone cannot be adopted', { profile: record.profile });
    await stopStray(context, record);
    await settleSession(parts, session);
    return 'settled';
  }
  // Before anybody may ask for its end: that must find a process that can be stopped.
  const canBeStopped = isAlive || (await stopRemains(context, record));
  const ref = { sessionId: record.sessionId, generation: record.generation, launch: record.launchId };
  const nowMs = context.redis.clock.now();
  const run = new AgentRun(ref, session, profile, nowMs - (session.claimedAt ?? nowMs));
  if (canBeStopped) run.identity = record.identity;
  run.remembered = record.remembered ?? [];
  run.cgroup = record.cgroup;
  run.roomSid = record.roomSid;
  run.eventsFile = record.eventsFile;
  run.exited = isAlive
    ? awaitAdoptedExit(record.identity, { signal: context.leaving })
    : Promise.resolve(UNSEEN_EXIT);
  run.exited.catch(() => undefined);
  run.output = new AgentOutput(context, run, (reason) => parts.ends.agentSaidEnd(run, reason));
  context.runs.add(run);
  parts.lifecycle.resume(run);
  if (session.status === 'ending') void parts.ends.end(run.id);
  return isAlive && session.status !== 'ending' ? 'adopted' : 'ending';
}

/**
 * Ends what a dead agent left behind.
 * @returns false when its pid is by now our own or our parent's, as happens in a container: then only the cookie finds
 * what is left of it
 */
async function stopRemains(context: SpawnerContext, record: LaunchRecord): Promise<boolean> {
  try {
    await stopRecorded(context, record);
    return true;
  } catch (error) {
    if (!(error instanceof UnsafeTargetError)) throw error;
    await stopLaunch(context, record.launchId);
    return false;
  }
}

async function settleWithoutRecord(
  context: SpawnerContext,
  parts: Parts,
  sessionId: string,
): Promise<Adoption> {
  await settleUnrecorded(context, parts, sessionId);
  return 'settled';
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
  const found = await untilReachable(() => redis.sessions.read(sessionId), leaving);
  if (found.status !== 'live' || found.session.host !== state.hostId) return false;
  if (runs.accountsFor(found.session.launch)) return false;
  // Asked after the session was read: whoever holds the host id now held it when that launch was claimed.
  if (!(await untilAnswered(() => redis.hosts.isHeld(state.hostId), leaving))) return false;
  // No next launch begins beside what is left of this one; the sweep comes back to it.
  if (!(await stopLaunch(context, found.session.launch))) return true;
  await rm(state.eventsFile(sessionId, found.session.generation), { force: true });
  await settleSession(parts, found.session);
  return true;
}

/** Tells the session that its agent is gone. */
async function settleSession(parts: Parts, session: SessionRecord): Promise<void> {
  const { launch } = session;
  switch (session.status) {
    case 'starting':
    case 'restarting':
      if (launch === undefined) return;
      await parts.lifecycle.launchAgain({ ...session, launch });
      return;
    case 'ready':
    case 'pooled':
      if (launch !== undefined) await parts.supervisor.agentLost({ ...session, launch });
      return;
    case 'ending':
      await parts.ends.end(session.id);
      return;
    case 'queued':
    case 'error':
      return;
  }
}

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

function stopRecorded({ config }: SpawnerContext, record: LaunchRecord): Promise<StopResult> {
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
