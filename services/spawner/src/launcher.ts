import type { ClaimResult, SessionRecord } from '@greenroom/redis-schema';
import type { LaunchResult, SessionLifecycle } from './session-lifecycle.js';
import type { SpawnerContext } from './spawner-context.js';
import { newLaunchId } from './state-dir.js';

/** Takes launches from spawn:pending, a few at a time. Doorbells, wake-ups and heartbeats only make it look sooner. */
export class Launcher {
  readonly #context: SpawnerContext;
  readonly #lifecycle: SessionLifecycle;
  #starting = 0;
  #startingWarm = 0;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isOpen = false;
  /** Launch id of a claim that may have been made, though its answer never came. */
  #lostClaim: string | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

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
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Claims what is due as long as there is room. Returns at once. */
  look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#claimAll()
      .catch((error: unknown) => {
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
    while (this.#isOpen && this.#starting < config.spawnConcurrency) {
      const claim = await this.#claim();
      if (claim.status === 'claimed') continue;
      if (claim.status === 'none' && claim.nextDueMs !== undefined) this.#lookIn(claim.nextDueMs);
      return;
    }
  }

  async #claim(): Promise<ClaimResult> {
    const { config, redis, runs, state } = this.#context;
    const lost = this.#lostClaim;
    const launch = lost ?? newLaunchId(state);
    runs.expect(launch);
    this.#lostClaim = launch;
    const claim = await redis.sessions.claim({
      host: state.hostId,
      launch,
      hostCapacity: config.hostCapacity,
      includePool: this.#hasRoomForWarm(),
      again: lost !== undefined,
    });
    this.#lostClaim = undefined;
    // The run is listed before the first wait of its launch.
    if (claim.status === 'claimed') void this.#launch(claim.session);
    runs.unexpect(launch);
    // What was lost had taken nothing: what is due now is still there.
    return lost !== undefined && claim.status === 'none' ? this.#claim() : claim;
  }

  /** Warm agents never take the last place: a caller must not wait for the pool. */
  #hasRoomForWarm(): boolean {
    return this.#startingWarm < Math.max(1, this.#context.config.spawnConcurrency - 1);
  }

  async #launch(session: SessionRecord & { launch: string }): Promise<void> {
    const isWarm = session.owner === 'pool';
    this.#starting += 1;
    if (isWarm) this.#startingWarm += 1;
    let result: LaunchResult = { retryInMs: undefined };
    try {
      result = await this.#lifecycle.launch(session);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') this.#context.logger.error('launch failed', { error });
    } finally {
      this.#starting -= 1;
      if (isWarm) this.#startingWarm -= 1;
    }
    if (result.retryInMs !== undefined) this.#lookIn(result.retryInMs);
    this.look();
  }

  #lookIn(ms: number): void {
    if (!this.#isOpen) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.look();
    }, ms + 1);
    this.#timers.add(timer);
  }
}
