import type { RedisSchema, StreamMessage } from '@greenroom/redis-schema';

/** What an agent does with something that it was told to say. */
export type SaidOutcome = 'taken_up' | 'heard' | 'not_said' | 'unknown';

/** Hears what the agent of one session says of its orders. What is missed was not heard, which is on the safe side. */
export class SaidEvents {
  readonly #outcomes = new Map<string, SaidOutcome>();
  /** The session is over, or gets another agent, which knows nothing of the order. */
  #hasAgentGone = false;
  #onNews: () => void = () => undefined;

  /** @returns what stops the listening */
  follow(redis: Pick<RedisSchema, 'events'>, sessionId: string): Promise<() => Promise<void>> {
    return redis.events.follow(sessionId, (message) => this.#take(message));
  }

  /** What the agent does with an order, as soon as that is known; `unknown` when it was not within `limitMs`. */
  answerTo(commandId: string, limitMs: number): Promise<SaidOutcome> {
    return this.#outcome(commandId, limitMs, () => true);
  }

  /** What became of an order that was taken up; `unknown` when it was not over within `limitMs`. */
  endOf(commandId: string, limitMs: number): Promise<SaidOutcome> {
    return this.#outcome(commandId, limitMs, (outcome) => outcome !== 'taken_up');
  }

  #outcome(
    commandId: string,
    limitMs: number,
    isWanted: (outcome: SaidOutcome) => boolean,
  ): Promise<SaidOutcome> {
    return new Promise((resolve) => {
      const finish = (outcome: SaidOutcome): void => {
        clearTimeout(timer);
        this.#onNews = () => undefined;
        resolve(outcome);
      };
      const timer = setTimeout(() => finish('unknown'), limitMs);
      this.#onNews = () => {
        if (this.#hasAgentGone) return finish('not_said');
        const outcome = this.#outcomes.get(commandId);
        if (outcome !== undefined && isWanted(outcome)) finish(outcome);
      };
      this.#onNews();
    });
  }

  #take({ entries = [], ended }: StreamMessage): void {
    if (ended || entries.some(({ status }) => status !== 'ready')) this.#hasAgentGone = true;
    for (const { isAgents, type, data } of entries) {
      const { commandId, active, cut } = data;
      if (!isAgents || type !== 'said' || typeof commandId !== 'string') continue;
      this.#note(commandId, active === true, cut === true);
    }
    this.#onNews();
  }

  /** An agent may be told twice and report twice: how an order ended first is how it ended. */
  #note(commandId: string, isBegun: boolean, isCut: boolean): void {
    const before = this.#outcomes.get(commandId);
    if (before !== undefined && before !== 'taken_up') return;
    // Done with, and never taken up, or broken off: it was not said.
    const ended = before === 'taken_up' && !isCut ? 'heard' : 'not_said';
    this.#outcomes.set(commandId, isBegun ? 'taken_up' : ended);
  }
}
