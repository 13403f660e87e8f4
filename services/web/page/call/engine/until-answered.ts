import { ApiProblem } from '../../shared/ask.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Asks until there is an answer that means something: what is away (no network, 429, 5xx) is asked again.
 * @throws ApiProblem what was refused for good, or the last one when it was called off
 */
export async function untilAnswered<Answer>(
  question: () => Promise<Answer>,
  calledOff: AbortSignal,
): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof ApiProblem) || !isPassing(error) || calledOff.aborted) throw error;
      await pause(error.retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), calledOff);
    }
  }
}

function isPassing({ status }: ApiProblem): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** Ends early when it is called off, or when the network is back. */
export function pause(ms: number, calledOff: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      calledOff.removeEventListener('abort', done);
      globalThis.removeEventListener?.('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    calledOff.addEventListener('abort', done);
    globalThis.addEventListener?.('online', done);
    if (calledOff.aborted) done();
  });
}
