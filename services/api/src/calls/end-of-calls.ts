import type { EndReason } from '@greenroom/contracts';
import type { CallRecord, RedisSchema } from '@greenroom/redis-schema';
import type { Counter } from '@greenroom/service-kit';
import { askForEnd, type EndContext } from '../sessions/ask-for-end.js';

export interface EndOfCallsOptions extends EndContext {
  readonly redis: Pick<RedisSchema, 'sessions' | 'calls'>;
  readonly ends: Counter<'reason'>;
}

/** The way from a call to the end of its session: the ordinary door, as for every other end. */
export class EndOfCalls {
  readonly #options: EndOfCallsOptions;

  constructor(options: EndOfCallsOptions) {
    this.#options = options;
  }

  /** Asked again, or for a session that ends already, it changes nothing. */
  async endSession({ sessionId }: CallRecord, reason: string): Promise<void> {
    if (sessionId === undefined) return;
    const result = await askForEnd(this.#options, { sessionId, reason: reason as EndReason, by: 'api' });
    const isOurs = result.status === 'ending' || result.status === 'fenced' || result.status === 'gone';
    if (isOurs) this.#options.ends.inc({ reason });
  }

  /** The call itself is over: who it was with has gone. */
  async close(call: CallRecord): Promise<void> {
    await this.endSession(call, call.medium === 'phone' ? 'caller_hung_up' : 'caller_left');
    await this.#options.redis.calls.close(call.callId);
  }
}
