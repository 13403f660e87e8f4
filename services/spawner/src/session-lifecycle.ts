import type { SessionRecord } from '@greenroom/redis-schema';
import { AgentRun } from './agent-run.js';
import { awaitReady, type ReadinessOutcome } from './agents/await-ready.js';
import type { SessionEnds } from './end-session.js';
import { keepRecord } from './keep-record.js';
import { deleteLaunchRecord } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import { StartFailure, startAgent, Superseded } from './start-agent.js';
import type { Supervisor } from './supervisor.js';
import { untilAnswered } from './until-answered.js';

/** After how many milliseconds the session is due again; undefined when it is not. */
export interface LaunchResult {
  retryInMs: number | undefined;
}

interface Failure {
  readonly error: string;
  readonly lastLines: string[];
  readonly isOurFault?: boolean;
  /** It speaks against the profile. */
  readonly isAgentsFault?: boolean;
}

const SETTLED: LaunchResult = { retryInMs: undefined };
const FIRST_BACKOFF_MS = 1000;
const HOLDOFF_BASE_MS = 1000;
const HOLDOFF_MAX_MS = 60_000;
const LAST_LINES = 20;

/** Brings sessions up: a claim goes in, a ready agent comes out, or a session that says why not. */
export class SessionLifecycle {
  readonly #context: SpawnerContext;
  readonly #ends: SessionEnds;
  readonly #supervisor: Supervisor;
  readonly #onDue: () => void;
  readonly #comingUp = new Set<AgentRun>();

  /** @param onDue called when a launch of an earlier life is due again */
  constructor(
    context: SpawnerContext,
    parts: { ends: SessionEnds; supervisor: Supervisor },
    onDue: () => void,
  ) {
    this.#context = context;
    this.#ends = parts.ends;
    this.#supervisor = parts.supervisor;
    this.#onDue = onDue;
  }

  /** Launches under way, those of an earlier life of this spawner included. */
  get comingUp(): ReadonlySet<AgentRun> {
    return this.#comingUp;
  }

  /** Launches the agent of a claimed session and waits until it is ready, has failed, or is no longer wanted. */
  async launch(session: SessionRecord & { launch: string }): Promise<LaunchResult> {
    const profile = this.#context.profiles.get(session.profile);
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    if (profile === undefined) {
      return this.failUnlaunched(session, `There is no profile ${session.profile} on this host.`);
    }
    const run = new AgentRun(ref, session, profile);
    this.#context.runs.add(run);
    this.#context.calls.agentStarts(run);
    this.#comingUp.add(run);
    return this.#bringUp(run).finally(() => this.#comingUp.delete(run));
  }

  async #bringUp(run: AgentRun): Promise<LaunchResult> {
    try {
      await this.#removeEarlierAgents(run);
      await startAgent(this.#context, run, (reason) => this.#ends.agentSaidEnd(run, reason));
      run.phase = 'starting';
    } catch (error) {
      run.settleBroughtUp();
      return this.#clearAway(run, error);
    }
    run.settleBroughtUp();
    return this.#untilReady(run);
  }

  /** Goes on with a launch of an earlier life of this spawner, within what is left of its time. Returns at once. */
  resume(run: AgentRun): void {
    run.settleBroughtUp();
    if (run.phase === 'ending') return;
    if (run.session.status !== 'starting' && run.session.status !== 'restarting') return this.#serve(run);
    run.phase = 'starting';
    this.#comingUp.add(run);
    void this.#untilReady(run)
      .finally(() => this.#comingUp.delete(run))
      .then(() => this.#onDue())
      .catch((error: unknown) => {
        if ((error as Error).name === 'AbortError') return;
        this.#context.logger.error('launch failed', { session: shortId(run.id), error });
      });
  }

  /**
   * For a launch that our own death cut off before the agent ran. Nothing speaks against the agent, so it is due at once
   * and this was not its last attempt; but it counts, for the launch may be what kills us.
   */
  async launchAgain(session: SessionRecord & { launch: string }): Promise<void> {
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    const error = 'The spawner was restarted before the agent was ready.';
    await this.#fail(ref, session, { error, lastLines: [], isOurFault: true });
    this.#onDue();
  }

  /** For a claimed session that has no process, and never had one as far as anybody can tell. */
  async failUnlaunched(session: SessionRecord & { launch: string }, error: string): Promise<LaunchResult> {
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    return this.#fail(ref, session, { error, lastLines: [] });
  }

  /** LiveKit shows a killed agent for a while: its presence must not speak for the next one. */
  async #removeEarlierAgents(run: AgentRun): Promise<void> {
    if (run.ref.generation === 1) return;
    await this.#context.rooms.removeAgents(run.session.roomName).catch((error: unknown) => {
      this.#context.logger.warn('earlier agents not removed', { session: shortId(run.id), error });
    });
  }

  async #untilReady(run: AgentRun): Promise<LaunchResult> {
    const timeoutMs = run.profile.startupTimeoutMs - (performance.now() - run.startedAtMs);
    try {
      const outcome = await awaitReady(run, this.#context.rooms, timeoutMs);
      if (run.isOverLimit) throw new StartFailure('The agent used more than its limits allow.');
      if (outcome.kind !== 'ready') throw explain(outcome, run.profile.startupTimeoutMs);
      await this.#markReady(run, outcome.by);
      return SETTLED;
    } catch (error) {
      return this.#clearAway(run, error);
    }
  }

  async #markReady(run: AgentRun, by: string): Promise<void> {
    const { metrics, logger, redis } = this.#context;
    const startupMs = performance.now() - run.startedAtMs;
    const marked = await untilAnswered(
      () => redis.sessions.markReady(run.ref, startupMs),
      run.giveWay.signal,
    );
    if (marked.status === 'superseded') throw new Superseded();
    metrics.launches.inc({ outcome: marked.status });
    metrics.startupSeconds.observe({ mode: run.session.mode }, startupMs / 1000);
    logger.info(`agent ${marked.status}`, {
      session: shortId(run.id),
      by,
      startupMs: Math.round(startupMs),
    });
    if (marked.status === 'surplus') return;
    run.session = { ...run.session, status: marked.status, startupTime: Math.round(startupMs) };
    // Before the first wait: a host that has been away looks at what it serves.
    this.#serve(run);
    await keepRecord(this.#context, run).catch((error: unknown) =>
      logger.warn('launch record not brought up to date', { session: shortId(run.id), error }),
    );
  }

  /** From now on its agent is watched: whatever becomes of it has a consequence for the session. */
  #serve(run: AgentRun): void {
    if (run.phase === 'ending') return;
    run.phase = 'serving';
    this.#supervisor.watch(run);
    this.#context.calls.agentServes(run);
  }

  /** A launch that got no agent ready: nothing of it may stay before the session is tried again or given up. */
  async #clearAway(run: AgentRun, cause: unknown): Promise<LaunchResult> {
    // Whoever asked for the end stops the tree and finishes; two stops of one tree would only repeat each other.
    if (run.giveWay.signal.aborted) return SETTLED;
    const stopped = await this.#ends.stopTree(run);
    await run.output?.close();
    if (run.giveWay.signal.aborted) return SETTLED;
    // The next launch may only begin when nothing of this one is left.
    if (stopped?.outcome === 'kill_failed') {
      await this.#ends.endNow(run, 'start_failed');
      return SETTLED;
    }
    await deleteLaunchRecord(this.#context.state.root, run.id);
    await run.output?.eraseEvents();
    try {
      return await this.#settleFailed(run, cause);
    } finally {
      // Until then its session is not one without a launch.
      this.#context.runs.remove(run);
    }
  }

  async #settleFailed(run: AgentRun, cause: unknown): Promise<LaunchResult> {
    if (cause instanceof Superseded) {
      this.#context.runs.remove(run);
      await this.#ends.endIfAsked(run.id, run.session.roomName);
      return SETTLED;
    }
    if (!(cause instanceof StartFailure)) {
      this.#context.logger.error('launch failed unexpectedly', { session: shortId(run.id), error: cause });
    }
    const sentence = cause instanceof StartFailure ? cause.message : 'The agent could not be started.';
    const lastLines = run.output?.lastLines(LAST_LINES) ?? [];
    const isAgentsFault = await this.#isAgentsFault(run, cause);
    return this.#fail(run.ref, run.session, { error: sentence, lastLines, isAgentsFault });
  }

  /** An agent that finds no LiveKit fails too. */
  async #isAgentsFault(run: AgentRun, cause: unknown): Promise<boolean> {
    if (!(cause instanceof StartFailure) || cause.blame !== 'agent') return false;
    if (this.#context.rooms.outages.hasBeenSince(run.startedAtMs)) return false;
    return this.#context.rooms.hasCaller(run.session.roomName).then(
      () => true,
      () => false,
    );
  }

  async #fail(
    ref: AgentRun['ref'],
    session: SessionRecord,
    { error, lastLines, isOurFault = false, isAgentsFault = false }: Failure,
  ): Promise<LaunchResult> {
    const { config, redis, logger, metrics, leaving } = this.#context;
    const failure = {
      error,
      lastLines,
      maxAttempts: config.spawnAttempts + (isOurFault ? 1 : 0),
      backoffMs: isOurFault ? 0 : FIRST_BACKOFF_MS * 2 ** session.attempts,
      holdoffBaseMs: HOLDOFF_BASE_MS,
      holdoffMaxMs: HOLDOFF_MAX_MS,
      isAgentsFault,
    };
    const answer = await untilAnswered(() => redis.sessions.failLaunch(ref, failure), leaving);
    metrics.launches.inc({ outcome: answer.status });
    const attempt = session.attempts + 1;
    logger.warn('launch failed', { session: shortId(ref.sessionId), attempt, outcome: answer.status, error });
    if (answer.status !== 'superseded' && answer.breakerOpened) {
      metrics.breakersOpened.inc({ profile: session.profile });
      logger.error('agents of this profile fail to start; starts fail fast', {
        profile: session.profile,
        error,
      });
    }
    switch (answer.status) {
      case 'retry':
        return { retryInMs: answer.dueInMs };
      case 'error':
      case 'dropped':
        await this.#ends.deleteRoom(session.roomName);
        return SETTLED;
      case 'superseded':
        await this.#ends.endIfAsked(ref.sessionId);
        return SETTLED;
    }
  }
}

function explain(outcome: Exclude<ReadinessOutcome, { kind: 'ready' }>, timeoutMs: number): Error {
  switch (outcome.kind) {
    case 'exited': {
      const { code, signal } = outcome.exit;
      const how = signal === null ? (code === null ? '' : ` with code ${code}`) : ` by ${signal}`;
      return new StartFailure(`The agent exited${how} before it was ready.`);
    }
    case 'timeout':
      return new StartFailure(`The agent was not ready within ${timeoutMs / 1000} s.`);
    case 'given_way':
      return new Superseded();
  }
}
