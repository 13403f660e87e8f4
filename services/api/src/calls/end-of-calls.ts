import type { EndReason } from '@greenroom/contracts';
import type { CallRecord, RedisSchema } from '@greenroom/redis-schema';
import type { Counter } from '@greenroom/service-kit';
import type { Rooms } from '../livekit/rooms.js';

export interface EndOfCallsOptions {
  readonly redis: Pick<RedisSchema, 'sessions' | 'calls'>;
  readonly rooms: Pick<Rooms, 'close'>;
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
    const { redis, rooms, ends } = this.#options;
    if (sessionId === undefined) return;
    const result = await redis.sessions.requestEnd({ sessionId, reason: reason as EndReason, by: 'api' });
    const isOurs = result.status === 'ending' || result.status === 'fenced' || result.status === 'gone';
    if (isOurs) ends.inc({ reason });
    // Nobody else may be there to do it.
    if (result.status === 'fenced') await rooms.close(result.session.roomName);
  }

  /** The call itself is over: who it was with has gone. */
  async close(call: CallRecord): Promise<void> {
    await this.endSession(call, call.medium === 'phone' ? 'caller_hung_up' : 'caller_left');
    await this.#options.redis.calls.close(call.callId);
  }
}
