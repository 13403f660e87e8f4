import { setTimeout } from 'node:timers/promises';
import { RedisUnavailableError } from '@greenroom/redis-schema';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/**
 * Takes a step of state again until Redis has answered. Only for steps that name the launch they speak for, so that
 * taking one twice changes nothing.
 *
 * @throws AbortError when the signal aborts; whatever the step throws for another reason
 */
export async function untilAnswered<T>(step: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
    }
    await setTimeout(pauseMs, undefined, signal ? { signal } : {});
  }
}
