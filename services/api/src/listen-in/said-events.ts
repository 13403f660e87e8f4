import type { RedisSchema, StreamMessage } from '@greenroom/redis-schema';

/** What an agent does with something that it was told to say. */
export type SaidOutcome = 'taken_up' | 'not_said' | 'unknown';

/** Hears what the agent of one session says of its orders. What is missed was not heard, which is on the safe side. */
export class SaidEvents {
  readonly #outcomes = new Map<string, SaidOutcome>();
  #onNews: () => void = () => undefined;

  /** @returns what stops the listening */
  follow(redis: Pick<RedisSchema, 'events'>, sessionId: string): Promise<() => Promise<void>> {
    return redis.events.follow(sessionId, (message) => this.#take(message));
  }

  /** What became of an order, as soon as that is known; `unknown` when it was not within `limitMs`. */
  outcomeOf(commandId: string, limitMs: number): Promise<SaidOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: SaidOutcome): void => {
        clearTimeout(timer);
        this.#onNews = () => undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => finish('unknown'), limitMs);
      this.#onNews = () => {
        const outcome = this.#outcomes.get(commandId);
        if (outcome !== undefined) finish(outcome);
      };
      this.#onNews();
    });
  }

  #take({ entries = [] }: StreamMessage): void {
    for (const { isAgents, type, data } of entries) {
      const { commandId, active } = data;
      if (!isAgents || type !== 'said' || typeof commandId !== 'string') continue;
      // Done with, and never taken up: it was not said.
      if (active === true) this.#outcomes.set(commandId, 'taken_up');
      else if (!this.#outcomes.has(commandId)) this.#outcomes.set(commandId, 'not_said');
    }
    this.#onNews();
  }
}
