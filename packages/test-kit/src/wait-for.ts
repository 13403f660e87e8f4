import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** How long to keep asking. Default 10 000. */
  readonly timeoutMs?: number;
  /** Pause between two questions. Default 20. */
  readonly intervalMs?: number;
  /** Named in the error when time runs out. */
  readonly what?: string;
}

type Falsy = false | 0 | '' | null | undefined;

/**
 * Asks until the answer is truthy and returns that answer.
 * @throws when `timeoutMs` has passed; the last error of `condition` is the cause.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = condition.toString() }: WaitOptions = {},
): Promise<Exclude<Awaited<T>, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer as Exclude<Awaited<T>, Falsy>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`, { cause: lastError });
    }
    await sleep(intervalMs);
  }
}
