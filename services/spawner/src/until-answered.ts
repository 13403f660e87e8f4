import { setTimeout } from 'node:timers/promises';
import { RedisRecoveringError, RedisUnavailableError } from '@greenroom/redis-schema';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** As `untilAnswered`, for one who must publish what it has before the recovery of the data can end. */
export async function untilReachable<T>(step: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const outcome = await untilAnswered(
    () =>
      step().then(
        (value) => ({ value }),
        (error: unknown) => {
          if (error instanceof RedisRecoveringError) return { error };
          throw error;
        },
      ),
    signal,
  );
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * Takes a step of state again until Redis has answered, and has recovered what it had lost. Only for steps that name the launch they speak for, so that
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
