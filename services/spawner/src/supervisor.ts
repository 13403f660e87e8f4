import type { EndReason } from '@greenroom/contracts';
import type { EpochMs, LaunchRef, RestartCause, RestartResult, SessionRecord } from '@greenroom/redis-schema';
import type { AgentRun } from './agent-run.js';
import type { Profile } from './agents/profile.js';
import { profileOf } from './agents/forgotten-profile.js';
import { isOnThePhone } from './calls/phone-call.js';
import type { SessionEnds } from './end-session.js';
import { deleteLaunchRecord, type ProcessExit, ranOutOfMemory } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { untilAnswered } from './until-answered.js';

/** How long a caller who was given a warm agent may take to come into its room without being taken for gone. */
const HAND_OVER_MS = 2000;

/** What was wrong with an agent that is gone. */
type Fault = Extract<RestartCause, EndReason>;

/**
 * Watches ready agents. One that goes ends its session when it meant to, or when nobody is there to talk to; otherwise
 * the call gets a new agent in the same room, as often as its profile allows.
 */
export class Supervisor {
  readonly #context: SpawnerContext;
  readonly #ends: SessionEnds;
  readonly #onRestarting: () => void;
  readonly #isRoomFinished: (run: AgentRun) => Promise<boolean>;

  /** @param parts `onRestarting` is called when a call waits for its next launch */
  constructor(
    context: SpawnerContext,
    parts: {
      ends: SessionEnds;
      onRestarting: () => void;
      isRoomFinished: (run: AgentRun) => Promise<boolean>;
    },
  ) {
    this.#context = context;
    this.#ends = parts.ends;
    this.#onRestarting = parts.onRestarting;
    this.#isRoomFinished = parts.isRoomFinished;
  }

  /** From now on the end of the agent and the deadline of its session are noticed. */
  watch(run: AgentRun): void {
    this.#ends.armDeadline(run);
    void run.exited
      ?.then((exit) => this.#agentExited(run, exit))
      .catch((error: unknown) => this.#report(run, error));
  }

  /** A call whose agent is gone, and of which this host has no launch any more: it died while nobody watched. */
  async agentLost(session: SessionRecord & { launch: string }): Promise<void> {
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    if (session.owner === 'caller' && (await this.#mayHaveCaller(session))) {
      const { restart } = profileOf(this.#context, session);
      const { status } = await this.#requestRestart({ ref, profile: { restart } }, 'agent_crashed');
      if (status === 'restarting') return this.#onRestarting();
      if (status === 'superseded') return;
    }
    await this.#ends.endLost(session, 'agent_crashed');
  }

  /** It would neither talk nor leave: it is killed, and what follows is what follows a crash. */
  agentHangs(run: AgentRun, why: string): void {
    if (run.phase !== 'serving') return;
    run.hangs = true;
    this.#context.logger.warn('agent hangs', { session: shortId(run.id), pid: run.identity?.pid, why });
    this.#settle(run, 'agent_hung', false).catch((error: unknown) => this.#report(run, error));
  }

  /** Its process lives, but it is not in its room any more: whoever is there talks to nobody. */
  agentVanished(run: AgentRun): void {
    if (run.phase !== 'serving') return;
    this.#context.logger.warn('agent is not in its room any more', {
      session: shortId(run.id),
      pid: run.identity?.pid,
    });
    this.#settle(run, 'agent_vanished', false).catch((error: unknown) => this.#report(run, error));
  }

  /** It is killed at once; what follows is what follows a crash. */
  async overLimit(run: AgentRun): Promise<void> {
    run.isOverLimit = true;
    if (run.phase === 'serving') return this.#settle(run, 'agent_over_limit', false);
    // Whoever waits for it to get ready sees it gone.
    await this.#ends.stopTree(run);
  }

  /** An admin wants another agent for this call. The wish stands in the state; a message only says to look. */
  async restartIfAsked(sessionId: string): Promise<void> {
    const { redis, runs, leaving } = this.#context;
    const found = await untilAnswered(() => redis.sessions.read(sessionId), leaving);
    const run = runs.get(sessionId);
    if (found.status !== 'live' || run?.phase !== 'serving' || !isToBeReplaced(run, found.session)) return;
    run.session = found.session;
    await this.#replace(run).catch((error: unknown) => this.#report(run, error));
  }

  async #replace(run: AgentRun): Promise<void> {
    run.phase = 'settling';
    const stopped = await this.#ends.stopTree(run);
    await run.output?.close();
    if (run.giveWay.signal.aborted) return;
    if (stopped?.outcome === 'kill_failed') return this.#ends.endNow(run, 'agent_hung');
    await this.#restart(run, 'admin_restart');
  }

  async #agentExited(run: AgentRun, exit: ProcessExit): Promise<void> {
    if (run.phase !== 'serving') return;
    const { code, signal } = exit;
    this.#context.logger.info('agent exited', { session: shortId(run.id), code, signal });
    const fault = ranOutOfMemory(run.cgroup) ? 'agent_over_limit' : 'agent_crashed';
    await this.#settle(run, fault, code === 0 && fault === 'agent_crashed');
  }

  /** Nothing of the agent may stay before its session ends or gets the next one. */
  async #settle(run: AgentRun, fault: Fault, wasOnPurpose: boolean): Promise<void> {
    run.phase = 'settling';
    const goneAt = this.#context.redis.clock.now();
    const exitReason = wasOnPurpose ? 'agent_exited' : fault;
    // Its remains must not wait for Redis, nor may it be given to a caller while they are cleared away.
    const [stopped, isCall] = await Promise.all([
      this.#ends.stopTree(run),
      run.session.owner === 'caller' || this.#hasGotCaller(run, exitReason),
    ]);
    if (!isCall) return this.#ends.end(run.id);
    // Its last words may say that it meant to end.
    await run.output?.close();
    if (run.giveWay.signal.aborted) return;
    if (run.saidEnd !== undefined) return this.#ends.endNow(run, 'agent_ended', run.saidEnd);
    if (isToBeReplaced(run, run.session)) return this.#restart(run, 'admin_restart');
    // Agents leave a room that was closed, each in its own way.
    if (await this.#isRoomFinished(run)) return this.#ends.endNow(run, 'room_finished');
    const hasCaller = await this.#mayHaveCaller(run.session);
    const isDone = hasCaller ? wasOnPurpose : !isBeingHandedOver(run.session, goneAt);
    if (isDone || stopped?.outcome === 'kill_failed') return this.#ends.endNow(run, exitReason);
    await this.#restart(run, fault);
  }

  /** Asks for the end of a warm agent. True when it turns out that it has a caller by now. */
  async #hasGotCaller(run: AgentRun, reason: EndReason): Promise<boolean> {
    const { redis, leaving } = this.#context;
    const { sessionId, generation: expectGeneration } = run.ref;
    const answer = await untilAnswered(
      () =>
        redis.sessions.requestEnd({
          sessionId,
          reason,
          by: 'agent',
          expectGeneration,
          expectStatus: 'pooled',
        }),
      leaving,
    );
    if (answer.status !== 'refused' || answer.session.owner !== 'caller') return false;
    this.#ends.takeState(run, answer.session);
    run.leavesRoom = answer.session.launch !== run.ref.launch;
    return answer.session.status === 'ready';
  }

  /**
   * What LiveKit cannot tell is unknown, and unknown ends no call: restarts are bounded anyway. Nor does it speak against a
   * caller that LiveKit itself was away, and that it is not back yet.
   */
  async #mayHaveCaller(session: SessionRecord): Promise<boolean> {
    const { rooms, config } = this.#context;
    const { roomName } = session;
    if (isOnThePhone(session)) return true;
    try {
      if (await rooms.hasCaller(roomName)) return true;
      return rooms.outages.hasBeenSince(performance.now() - config.leaveGraceMs);
    } catch (error) {
      this.#context.logger.warn('LiveKit does not say who is in the room', { error });
      return true;
    }
  }

  /** The session goes on without this launch. Its record goes first: what has no record is never taken for alive. */
  async #restart(run: AgentRun, cause: RestartCause): Promise<void> {
    const { state, runs, logger } = this.#context;
    await run.recordKept;
    await deleteLaunchRecord(state.root, run.id);
    await run.output?.eraseEvents();
    const { status } = await this.#requestRestart(run, cause, run.giveWay.signal);
    logger.warn('agent gone during a call', { session: shortId(run.id), cause, outcome: status });
    switch (status) {
      case 'restarting':
        run.clearDeadline();
        runs.remove(run);
        return this.#onRestarting();
      case 'exhausted':
      case 'no_host':
        return this.#ends.endNow(run, cause === 'admin_restart' ? 'host_drained' : cause);
      case 'superseded':
        // Whoever was first decides; asked to end here, the end goes on, and it needs the run.
        await this.#ends.endIfAsked(run.id, run.session.roomName);
        run.clearDeadline();
        runs.remove(run);
    }
  }

  #requestRestart(
    launch: { readonly ref: LaunchRef; readonly profile: Pick<Profile, 'restart'> },
    cause: RestartCause,
    giveWay?: AbortSignal,
  ): Promise<RestartResult> {
    const { redis, leaving } = this.#context;
    const { intensity, periodMs } = launch.profile.restart;
    const policy = { cause, maxRestarts: intensity, periodMs };
    const signal = giveWay === undefined ? leaving : AbortSignal.any([leaving, giveWay]);
    return untilAnswered(() => redis.sessions.restart(launch.ref, policy), signal);
  }

  /** Without its run a call whose agent is gone is found by the next sweep. */
  #report(run: AgentRun, error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    this.#context.logger.error('unexpected failure', { session: shortId(run.id), error });
    if (run.phase !== 'settling') return;
    run.clearDeadline();
    this.#context.runs.remove(run);
  }
}

/** A warm agent that is gone at the moment when it was given away has a caller who is on the way into the room. */
function isBeingHandedOver({ prewarmed, assignedAt }: SessionRecord, goneAt: EpochMs): boolean {
  return prewarmed && assignedAt !== undefined && goneAt - assignedAt < HAND_OVER_MS;
}

/** The wish names the launch that it is about: the next one is not meant. */
function isToBeReplaced(run: AgentRun, session: SessionRecord): boolean {
  return session.status === 'ready' && session.restartRequested === run.ref.launch;
}
