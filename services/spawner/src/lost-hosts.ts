import type { SilentLaunch } from '@greenroom/redis-schema';
import { LiveKitUnavailableError } from './rooms/ask-livekit.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

/**
 * Looks after the calls of hosts that have been silent for HOST_LOST_AFTER. A call whose agent is still in its room goes on,
 * whatever became of the way between its host and Redis. One without is moved to another host; what LiveKit cannot tell is
 * unknown, and unknown ends nothing.
 */
export class LostHosts {
  readonly #context: SpawnerContext;
  readonly #underWay = new Set<string>();

  constructor(context: SpawnerContext) {
    this.#context = context;
  }

  /** Returns at once. What could not be decided now comes again. */
  take(silent: readonly SilentLaunch[]): void {
    for (const it of silent) {
      if (this.#underWay.has(it.launch)) continue;
      this.#underWay.add(it.launch);
      void this.#look(it)
        .catch((error: unknown) => this.#report(it, error))
        .finally(() => this.#underWay.delete(it.launch));
    }
  }

  async #look(silent: SilentLaunch): Promise<void> {
    const { rooms, config, redis, logger } = this.#context;
    // A LiveKit that was away has forgotten its rooms, or its agents are on their way back.
    if (rooms.outages.hasBeenSince(performance.now() - config.leaveGraceMs)) return;
    if (await rooms.mayHaveAgent(silent.roomName, silent)) return;
    const { sessionId, generation, launch, host } = silent;
    const { status } = await redis.sessions.move(
      { sessionId, generation, launch },
      { host, cause: 'host_lost', lostAfterMs: config.hostLostAfterMs },
    );
    const level = status === 'waiting' ? 'debug' : 'warn';
    logger.log(level, 'its host is lost', { session: shortId(sessionId), host, outcome: status });
  }

  #report({ sessionId, host }: SilentLaunch, error: unknown): void {
    const facts = { session: shortId(sessionId), host, error };
    if (error instanceof LiveKitUnavailableError) {
      this.#context.logger.warn('LiveKit does not say whether the agent of a silent host is there', facts);
    } else this.#context.logger.warn('a launch on a silent host could not be moved yet', facts);
  }
}
