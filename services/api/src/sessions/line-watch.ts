import type { ApiContext } from '../context.js';

const LOOK_MS = 5000;

/**
 * Says every few seconds that this api is there to be asked: only then silence speaks against a caller in line. The same
 * step serves the line, with the MAX_SESSIONS of this api; whatever is missed is found here.
 */
export class LineWatch {
  readonly #context: Pick<ApiContext, 'redis' | 'config' | 'logger'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: Pick<ApiContext, 'redis' | 'config' | 'logger'>) {
    this.#context = context;
  }

  open(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { redis, config, logger } = this.#context;
    try {
      await redis.sessions.admit(config.maxSessions);
    } catch (error) {
      logger.debug('the waiting line was not looked at', { error });
    }
  }
}
