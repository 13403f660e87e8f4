import { setTimeout as sleep } from 'node:timers/promises';
import type { EndedBy, EndReason } from '@greenroom/contracts';
import { RedisUnavailableError, type SessionRecord } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import { deleteLaunchRecord, stopTree, type StopResult, readIdentity } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { stopLaunch } from './stop-strays.js';
import { untilAnswered } from './until-answered.js';

const DEADLINE_RETRY_MS = 1000;

/**
 * The one door through which a session ends on this host, whatever the cause: the whole tree stopped, the room deleted,
 * and only then the step that removes the keys and frees the place.
 */
export class SessionEnds {
  readonly #context: SpawnerContext;
  /** A session that is ending ends once, however often that is asked. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #stopping = new Map<AgentRun, Promise<StopResult | undefined>>();
  /** Rooms that LiveKit did not answer about; they stand in rooms:doomed too. */
  readonly #undeleted = new Set<string>();
  /** Launches that no session has any more, and of which something has survived. */
  readonly #undropped = new Set<AgentRun>();
  readonly #onFreed: () => void;

  constructor(context: SpawnerContext, onFreed: () => void) {
    this.#context = context;
    this.#onFreed = onFreed;
  }

  /** Ends the session when its time is over. */
  armDeadline(run: AgentRun, earliestInMs = 0): void {
    const leftMs = run.session.deadlineAt - this.#context.redis.clock.now();
    run.setDeadline(
      Math.max(leftMs, earliestInMs),
      () => void this.#deadlineOver(run).catch((error: unknown) => this.#report(run, error)),
    );
  }

  /** Takes what a step said about the session: a warm agent that got a caller has the call's deadline from now on. */
  takeState(run: AgentRun, session: SessionRecord): void {
    const hasMoved = session.deadlineAt !== run.session.deadlineAt;
    run.session = session;
    this.#context.calls.look(run);
    if (hasMoved && run.phase === 'serving') this.armDeadline(run);
  }

  /** The agent announces its own end; it may still be speaking its last words, and leaves by itself. */
  agentSaidEnd(run: AgentRun, reason: string): void {
    run.saidEnd = reason;
    // Whoever clears away what is left of it acts on what it said.
    if (run.phase === 'settling') return;
    void this.endNow(run, 'agent_ended', reason).catch((error: unknown) => this.#report(run, error));
  }

  /** Ends a session that is asked to end. Resolves when nothing of it is left, or an alarm says what is. */
  end(sessionId: string, withoutAsking?: EndReason): Promise<void> {
    return this.#once(sessionId, () => this.#end(sessionId, withoutAsking));
  }

  /**
   * Ends a launch that no session wants any more. The session may have another one by now: neither it nor its room is
   * touched. What survives is listed still, and an alarm.
   */
  drop(run: AgentRun): Promise<void> {
    return this.#once(run.id, () => this.#drop(run));
  }

  #once(sessionId: string, how: () => Promise<void>): Promise<void> {
    const known = this.#ending.get(sessionId);
    if (known) return known;
    const work = how()
      .catch((error: unknown) => {
        if ((error as Error).name === 'AbortError') return;
        this.#context.logger.error('end failed', { session: shortId(sessionId), error });
      })
      .finally(() => {
        this.#ending.delete(sessionId);
        this.#onFreed();
      });
    this.#ending.set(sessionId, work);
    return work;
  }

  /**
   * Looks whether the state asks for the end of this session here, and ends it then. A message, or a place in an index,
   * is not the order itself.
   * @param roomName deleted when the session is gone altogether
   */
  async endIfAsked(sessionId: string, roomName?: string): Promise<void> {
    const { redis, state, leaving } = this.#context;
    const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
    if (found.status !== 'live') {
      if (roomName !== undefined) await this.deleteRoom(roomName);
    } else if (found.session.status === 'ending' && found.session.host === state.hostId) {
      if (!(await this.#isOurs(found.session))) return;
      if (found.session.endAtOnce) this.#context.runs.get(sessionId)?.skipGrace.abort();
      await this.end(sessionId);
    }
  }

  /** A launch that nobody here knows may be that of another spawner, which has taken our host id meanwhile. */
  async #isOurs({ id, launch }: SessionRecord): Promise<boolean> {
    const { redis, state, runs, leaving } = this.#context;
    if (launch !== undefined && runs.get(id)?.ref.launch === launch) return true;
    return untilAnswered(() => redis.hosts.isHeld(state.hostId), leaving);
  }

  /** Asks for the end of a launch, for a cause of ours, and ends it. */
  async endNow(run: AgentRun, reason: EndReason, detail?: string): Promise<void> {
    if (await this.#ask(run, reason, detail)) await this.end(run.id);
    else await this.drop(run);
  }

  /** Asks for the end of a session whose launch this host knows nothing of any more, and ends it. */
  async endLost(session: SessionRecord, reason: EndReason): Promise<void> {
    const { redis, leaving } = this.#context;
    const { id: sessionId, generation: expectGeneration, launch: expectLaunch } = session;
    await untilAnswered(
      () => redis.sessions.requestEnd({ sessionId, reason, by: 'spawner', expectGeneration, expectLaunch }),
      leaving,
    );
    await this.end(sessionId);
  }

  /** Stops all that the launch has started. Two stops of one tree would only repeat each other: the second joins. */
  stopTree(run: AgentRun): Promise<StopResult | undefined> {
    const known = this.#stopping.get(run);
    if (known) return known;
    const work = this.#stopTree(run).finally(() => this.#stopping.delete(run));
    this.#stopping.set(run, work);
    return work;
  }

  async #stopTree(run: AgentRun): Promise<StopResult | undefined> {
    if (run.identity === undefined) return undefined;
    const { config, metrics, logger, faults } = this.#context;
    const { identity, remembered, cgroup } = run;
    const { signal } = run.skipGrace;
    const graceMs = run.hangs || run.isOverLimit || signal.aborted ? 0 : config.terminationGraceMs;
    const pgid = readIdentity(identity.pid, identity.launchId)?.pgid ?? identity.pgid;
    const onTerminated = () => faults.reach('killing');
    const result = await stopTree({ identity, remembered, cgroup, graceMs, onTerminated, signal });
    metrics.stops.inc({ outcome: result.outcome });
    const facts = {
      session: shortId(run.id),
      pid: identity.pid,
      pgid,
      outcome: result.outcome,
      durationMs: Math.round(result.durationMs),
    };
    if (pgid !== identity.pid) logger.warn('agent stopped, but it did not lead its process group', facts);
    else logger.info('agent stopped, pgid == pid', facts);
    return result;
  }

  /** Deletes a room that must go. Where LiveKit does not answer it stays listed in rooms:doomed. */
  async deleteRoom(roomName: string): Promise<void> {
    const { rooms, redis, logger } = this.#context;
    try {
      await rooms.delete(roomName);
      this.#undeleted.delete(roomName);
      await redis.rooms.clearDoomed(roomName);
    } catch (error) {
      this.#undeleted.add(roomName);
      logger.warn('room not deleted yet, it stays doomed', { room: shortId(roomName), error });
    }
  }

  /** LiveKit may answer again. Returns at once. */
  retryDeletions(): void {
    for (const roomName of this.#undeleted) void this.deleteRoom(roomName);
  }

  async #end(sessionId: string, withoutAsking: EndReason | undefined): Promise<void> {
    const run = this.#context.runs.get(sessionId);
    if (run === undefined) return this.#endUnwatched(sessionId);
    await this.#letGo(run);
    const stopping = this.stopTree(run);
    const roomGone = this.#deleteRoomWhenDue(run, stopping);
    const stopped = await stopping;
    await run.output?.close();
    if (stopped?.outcome === 'kill_failed') return this.#raiseAlarm(run, stopped);
    await roomGone;
    if (withoutAsking !== undefined) await this.#ask(run, withoutAsking);
    await this.#finish(sessionId, run, stopped);
  }

  /** Nobody watches it: its process may be there all the same. */
  async #endUnwatched(sessionId: string): Promise<void> {
    const { redis, state, leaving } = this.#context;
    const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
    if (found.status === 'live' && found.session.host === state.hostId) {
      // The next heartbeat finds it still ending.
      if (!(await stopLaunch(this.#context, found.session.launch))) return;
    }
    await this.#finish(sessionId);
  }

  async #drop(run: AgentRun): Promise<void> {
    run.leavesRoom = true;
    await this.#letGo(run);
    const stopped = await this.stopTree(run);
    await run.output?.close();
    if (stopped?.outcome === 'kill_failed') {
      this.#undropped.add(run);
      return this.#raiseAlarm(run, stopped);
    }
    this.#undropped.delete(run);
    await this.#forget(run);
  }

  /** What survived is tried again. Returns at once. */
  retryDrops(): void {
    for (const run of this.#undropped) void this.drop(run);
  }

  /** Nothing starts or ends this launch any more but its end. */
  async #letGo(run: AgentRun): Promise<void> {
    run.phase = 'ending';
    run.clearDeadline();
    run.giveWay.abort();
    await run.broughtUp;
  }

  async #forget(run: AgentRun): Promise<void> {
    await run.output?.eraseEvents();
    await deleteLaunchRecord(this.#context.state.root, run.id);
    this.#context.runs.remove(run);
  }

  /** When the tree is gone or the grace is over, whichever is first. */
  async #deleteRoomWhenDue(run: AgentRun, stopping: Promise<unknown>): Promise<void> {
    if (run.leavesRoom) return;
    const waited = new AbortController();
    const grace = sleep(this.#context.config.terminationGraceMs, undefined, { signal: waited.signal });
    await Promise.race([stopping, grace]);
    grace.catch(() => undefined);
    waited.abort();
    await this.deleteRoom(run.session.roomName);
  }

  async #finish(sessionId: string, run?: AgentRun, stopped?: StopResult): Promise<void> {
    const { redis, state, logger, metrics, leaving } = this.#context;
    // What was said goes before anybody is told that the session is gone.
    await run?.output?.eraseEvents();
    const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
    const isOurs =
      found.status === 'live' &&
      (run === undefined
        ? found.session.host === state.hostId
        : found.session.launch === run.ref.launch || found.session.launch === undefined);
    if (isOurs && found.session.status === 'ending') {
      const { generation, roomName, endReason } = found.session;
      if (run === undefined) await this.deleteRoom(roomName);
      await untilAnswered(() => redis.sessions.finishEnd(sessionId, generation, usageOf(stopped)), leaving);
      metrics.ends.inc({ reason: endReason ?? 'unknown' });
      logger.info('session ended', { session: shortId(sessionId), reason: endReason });
    }
    if (run) await this.#forget(run);
    else await deleteLaunchRecord(state.root, sessionId);
  }

  /** It stays visible and counted; the next heartbeat finds it still ending and tries again. */
  async #raiseAlarm(run: AgentRun, stopped: StopResult): Promise<void> {
    const { redis, logger, leaving } = this.#context;
    const survivors = stopped.survivors.map((it) => it.pid);
    logger.error('ALARM: processes survived SIGKILL', { session: shortId(run.id), survivors });
    await untilAnswered(() => redis.sessions.raiseAlarm(run.id, run.ref.generation, 'kill_failed'), leaving);
  }

  /** @returns false when the session has another launch by now, and is not ours to end */
  async #ask(run: AgentRun, reason: EndReason, detail?: string): Promise<boolean> {
    const by = whoEnds(reason);
    const { sessionId, launch: expectLaunch } = run.ref;
    const { redis, leaving } = this.#context;
    const answer = await untilAnswered(
      () => redis.sessions.requestEnd({ sessionId, reason, by, detail, expectLaunch }),
      leaving,
    );
    return answer.status !== 'refused';
  }

  async #deadlineOver(run: AgentRun): Promise<void> {
    if (run.phase === 'ending') return;
    const isWarm = run.session.owner === 'pool';
    try {
      const answer = await this.#context.redis.sessions.requestEnd({
        sessionId: run.id,
        reason: isWarm ? 'warm_agent_retired' : 'session_timeout',
        by: 'spawner',
        expectGeneration: run.ref.generation,
        expectStatus: isWarm ? 'pooled' : undefined,
        onlyPastDeadline: true,
      });
      if (answer.status !== 'refused') return await this.end(run.id);
      if (answer.session.launch !== run.ref.launch) return await this.drop(run);
      run.session = answer.session;
      this.armDeadline(run, DEADLINE_RETRY_MS);
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      // A promised limit holds without Redis; but a warm agent may have been given to a caller meanwhile.
      if (isWarm) this.armDeadline(run, DEADLINE_RETRY_MS);
      else await this.end(run.id, 'session_timeout');
    }
  }

  #report(run: AgentRun, error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    this.#context.logger.error('unexpected failure', { session: shortId(run.id), error });
  }
}

/** Whom a cause that the spawner notices comes from. */
function whoEnds(reason: EndReason): EndedBy {
  if (reason === 'room_finished') return 'livekit';
  return reason.startsWith('agent_') ? 'agent' : 'spawner';
}

/** What the history says of its memory and CPU time; most calls are shorter than the pause between two health checks. */
function usageOf(stopped: StopResult | undefined): { rss: string; cpu: string } | undefined {
  const usage = stopped?.usage;
  return usage && { rss: String(usage.rssBytes), cpu: usage.cpuSeconds.toFixed(2) };
}
