import type { ClaimResult, SessionRecord } from '@greenroom/redis-schema';
import type { LaunchResult, SessionLifecycle } from './session-lifecycle.js';
import type { SpawnerContext } from './spawner-context.js';
import { newLaunchId } from './state-dir.js';
import { untilAnswered } from './until-answered.js';

/** Takes launches from spawn:pending, a few at a time. Doorbells, wake-ups and heartbeats only make it look sooner. */
export class Launcher {
  readonly #context: SpawnerContext;
  readonly #lifecycle: SessionLifecycle;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isOpen = false;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(context: SpawnerContext, lifecycle: SessionLifecycle) {
    this.#context = context;
    this.#lifecycle = lifecycle;
  }

  /** From now on claims are made. */
  open(): void {
    this.#isOpen = true;
    this.look();
  }

  /** Claims nothing more; launches under way go on. */
  close(): void {
    this.#isOpen = false;
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  /** Claims what is due as long as there is room. Returns at once. */
  look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#claimAll()
      .catch((error: unknown) => {
        if ((error as Error).name === 'AbortError') return;
        this.#context.logger.warn('claiming failed, the next heartbeat tries again', { error });
      })
      .finally(() => {
        this.#looking = undefined;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.look();
      });
  }

  async #claimAll(): Promise<void> {
    const { config } = this.#context;
    while (this.#isOpen && this.#lifecycle.comingUp.size < config.spawnConcurrency) {
      const claim = await this.#claim();
      if (claim.status === 'claimed') continue;
      if (claim.status === 'none' && claim.nextDueMs !== undefined) this.#lookIn(claim.nextDueMs);
      return;
    }
  }

  /** Asked again under the same launch id until there is an answer: a claim whose answer is lost has a launch all the same. */
  async #claim(): Promise<ClaimResult> {
    const { config, profiles, redis, runs, state } = this.#context;
    const launch = newLaunchId(state);
    runs.expect(launch);
    try {
      const claim = await untilAnswered(
        () =>
          redis.sessions.claim({
            host: state.hostId,
            launch,
            hostCapacity: config.hostCapacity,
            includePool: this.#hasRoomForWarm(),
            profiles: [...profiles.keys()],
            placement: config.placement,
            shortOfMemory: this.#context.memory.isShort(),
          }),
        this.#closing.signal,
      );
      if (claim.status !== 'claimed') return claim;
      this.#context.faults.reach('claimed');
      // The run is listed before the first wait of its launch.
      void this.#launch(claim.session);
      return claim;
    } finally {
      runs.unexpect(launch);
    }
  }

  /** Warm agents never take the last place: a caller must not wait for the pool. */
  #hasRoomForWarm(): boolean {
    const warm = [...this.#lifecycle.comingUp].filter(({ session }) => session.owner === 'pool');
    return warm.length < Math.max(1, this.#context.config.spawnConcurrency - 1);
  }

  async #launch(session: SessionRecord & { launch: string }): Promise<void> {
    let result: LaunchResult = { retryInMs: undefined };
    try {
      result = await this.#lifecycle.launch(session);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') this.#context.logger.error('launch failed', { error });
    }
    if (result.retryInMs !== undefined) this.#lookIn(result.retryInMs);
    this.look();
  }

  /** One timer, for whatever is due first: that look finds what is due next. */
  #lookIn(ms: number): void {
    const dueMs = performance.now() + ms;
    if (!this.#isOpen || dueMs >= this.#timerDueMs) return;
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      this.look();
    }, ms + 1);
  }
}
