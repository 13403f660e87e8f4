import type { AgentRun } from './agent-run.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

const LOOK_MS = 2000;

/**
 * An agent whose host was lost may live, and its token lets it come back into the room, where another agent talks to the
 * caller by now. Until that token has run out, or the host has said that nothing of it is left, the older one is thrown
 * out again.
 */
export class FencedAgents {
  readonly #context: SpawnerContext;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: SpawnerContext) {
    this.#context = context;
  }

  open(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { runs, redis, logger } = this.#context;
    const nowMs = redis.clock.now();
    for (const run of runs.all()) {
      if ((run.session.fencedUntil ?? 0) <= nowMs || run.phase === 'ending') continue;
      this.#throwOut(run).catch((error: unknown) => {
        logger.debug('an older agent may be in the room', { session: shortId(run.id), error });
      });
    }
  }

  async #throwOut(run: AgentRun): Promise<void> {
    const { rooms, logger } = this.#context;
    const removed = await rooms.removeOlderAgents(run.session.roomName, run.ref);
    if (removed > 0) logger.warn('an agent of a lost host came back', { session: shortId(run.id) });
  }
}
