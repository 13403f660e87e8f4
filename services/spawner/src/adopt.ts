import { rm } from 'node:fs/promises';
import { parseSession, RedisRecoveringError, type SessionRecord } from '@greenroom/redis-schema';
import { AgentRun } from './agent-run.js';
import { profileOf } from './agents/forgotten-profile.js';
import { AgentOutput } from './agents/agent-output.js';
import type { SessionEnds } from './end-session.js';
import {
  awaitAdoptedExit,
  checkIdentity,
  type LaunchRecord,
  listLaunchRecords,
  type ProcessExit,
  UnsafeTargetError,
} from './process/index.js';
import type { SessionLifecycle } from './session-lifecycle.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { stopLaunch, stopRecorded, stopStray } from './stop-strays.js';
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

/** Launches whose standing is known; those that live are under our watch already. */
export interface Adopting {
  /** Brings the rest to its end. Takes its time: trees must die, LiveKit may be away. */
  finish(): Promise<AdoptionReport>;
}

/**
 * Puts this host's processes and its sessions together again: an agent that lives and is wanted is adopted, one that is
 * not wanted is ended, and a session whose agent is gone is failed or ended. All at once: one that takes its time to die
 * must not keep the calls beside it unwatched.
 *
 * Resolves when every launch is listed that the data may speak of. Only then may heartbeats begin, and they must: what is
 * left to do may wait for a recovery of the data that needs them.
 *
 * @param registered `isSameLife`: the data knows all that this host ever published; if not, everything is published
 */
export async function adoptAll(
  context: SpawnerContext,
  parts: Parts,
  registered: { sessions: readonly string[]; isSameLife: boolean },
): Promise<Adopting> {
  const { records, unreadable } = await listLaunchRecords(context.state.root);
  for (const it of unreadable) {
    if (it.problem === 'unsupported') throw new UnsupportedRecordError(it.file, it.detail);
    context.logger.error('a launch record cannot be read; it is left alone', { ...it });
    context.leftAlone.add(it.sessionId);
  }
  const known = new Set(records.map((record) => record.sessionId));
  const unrecorded = registered.sessions.filter((id) => !known.has(id));
  const rest: (() => Promise<Adoption | 'failed'>)[] = unrecorded.map(
    (id) => () => reportFailure(context, id, settleWithoutRecord(context, parts, id)),
  );
  await Promise.all(
    records.map(async (record) => {
      const listed = list(context, parts, record, registered.isSameLife).then(
        (finish) => () => reportFailure(context, record.sessionId, finish()),
      );
      const finish = await listed.catch((error: unknown) => {
        // Without a standing it may be somebody's call.
        if ((error as Error).name !== 'AbortError') context.leftAlone.add(record.sessionId);
        return () => reportFailure(context, record.sessionId, Promise.reject(error));
      });
      rest.push(finish);
    }),
  );
  return {
    async finish() {
      const outcomes = await Promise.all(rest.map((it) => it()));
      const count = (wanted: Adoption | 'failed'): number => outcomes.filter((it) => it === wanted).length;
      return {
        adopted: count('adopted'),
        ending: count('ending'),
        settled: count('settled'),
        failed: count('failed'),
      };
    },
  };
}

/** Another version wrote it, and knows what it means: ending its agent, or forgetting it, would both be guesses. */
class UnsupportedRecordError extends Error {
  override readonly name = 'UnsupportedRecordError';
  constructor(file: string, detail: string) {
    super(
      `${file} was written by a version that this one does not know (${detail}). ` +
        'Start that version again, or let it drain this host before you change it.',
    );
  }
}

/** One launch that cannot be dealt with must not keep the spawner from starting. */
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

/** @returns what is left to do for this launch */
async function list(
  context: SpawnerContext,
  parts: Parts,
  record: LaunchRecord,
  isSameLife: boolean,
): Promise<() => Promise<Adoption>> {
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
    return settling(context, record, async () => {
      await stopStray(context, record);
      if (standing.kind === 'gone') await parts.ends.deleteRoom(record.roomName);
    });
  }
  const { session } = standing;
  // A gate that was never opened has closed with its spawner; what is left of it leaves by itself.
  const hasAgent = session.agentPid !== undefined && record.phase !== 'recorded';
  if (!hasAgent) {
    return settling(context, record, async () => {
      await stopStray(context, record);
      await settleSession(parts, session);
    });
  }
  return takeOver(context, parts, { record, session, isAlive: state === 'alive' });
}

/** Until it is done the launch is somebody's: what a heartbeat brings must not stop it a second time. */
function settling(
  { runs }: SpawnerContext,
  { launchId }: LaunchRecord,
  work: () => Promise<void>,
): () => Promise<Adoption> {
  runs.expect(launchId);
  return async () => {
    try {
      await work();
      return 'settled';
    } finally {
      runs.unexpect(launchId);
    }
  };
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

/**
 * From here on it is a launch like any other: its end, and what comes after it, take the same ways. An end that is asked
 * for meanwhile waits until it is brought up.
 */
function takeOver(
  context: SpawnerContext,
  parts: Parts,
  { record, session, isAlive }: Found,
): () => Promise<Adoption> {
  const ref = { sessionId: record.sessionId, generation: record.generation, launch: record.launchId };
  const nowMs = context.redis.clock.now();
  const profile = profileOf(context, record);
  const run = new AgentRun(ref, session, profile, nowMs - (session.claimedAt ?? nowMs));
  run.identity = record.identity;
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
  const goOn = (): Adoption => {
    parts.lifecycle.resume(run);
    if (session.status === 'ending') void parts.ends.end(run.id);
    else if (!context.profiles.has(profile.name)) leaveToItsCaller(context, run);
    return isAlive && session.status !== 'ending' ? 'adopted' : 'ending';
  };
  if (isAlive) {
    const adoption = goOn();
    return async () => adoption;
  }
  return async () => {
    try {
      // Before anybody may ask for its end: that must find a process that can be stopped.
      if (!(await stopRemains(context, record))) run.identity = undefined;
    } finally {
      goOn();
    }
    return 'ending';
  };
}

/** Its profile is not run here any more: a call goes on, a warm agent is of no use. */
function leaveToItsCaller({ redis, logger, leaving }: SpawnerContext, { ref, session }: AgentRun): void {
  logger.warn('an agent of a profile that this host does not run any more', {
    session: shortId(session.id),
    profile: session.profile,
  });
  if (session.owner !== 'pool') return;
  const { sessionId, launch: expectLaunch } = ref;
  const wish = {
    sessionId,
    reason: 'pool_surplus',
    by: 'spawner',
    expectStatus: session.status,
    expectLaunch,
  } as const;
  untilAnswered(() => redis.sessions.requestEnd(wish), leaving).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') return;
    logger.warn('it could not be asked to leave; it does when it is old', { error });
  });
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
  if (context.leftAlone.has(sessionId)) return false;
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
