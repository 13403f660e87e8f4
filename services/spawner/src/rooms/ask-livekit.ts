import pRetry from 'p-retry';

/** LiveKit could not be reached or refused; whether it acted is unknown. */
export class LiveKitUnavailableError extends Error {
  override readonly name = 'LiveKitUnavailableError';
  /** LiveKit has answered, and would answer the same again: a wrong key, say. */
  readonly isFinal: boolean;

  constructor(message: string, options: { cause?: unknown; isFinal?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isFinal = options.isFinal ?? false;
  }
}

/** How long a question may be asked again. */
export interface Patience {
  /** Milliseconds after which no further attempt begins. */
  readonly limitMs: number;
  /** Ends the waiting; an attempt that is under way is waited for, so that nothing happens behind our back. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

/**
 * Asks LiveKit, again and again with a jittered back-off while it does not answer. Only for questions that may be asked
 * twice.
 * @param onFailure hears of each attempt that LiveKit did not answer, and when it was made
 * @throws LiveKitUnavailableError when the time is over or the answer is final, AbortError
 */
export function askLiveKit<T>(
  what: string,
  call: () => Promise<T>,
  { limitMs, signal }: Patience,
  onFailure: (askedAtMs: number) => void = () => undefined,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const askedAtMs = performance.now();
    try {
      return await call();
    } catch (error) {
      const explained = explain(what, error);
      if (!explained.isFinal) onFailure(askedAtMs);
      throw explained;
    }
  };
  return pRetry(attempt, {
    retries: Infinity,
    maxRetryTime: limitMs,
    minTimeout: FIRST_PAUSE_MS,
    maxTimeout: LONGEST_PAUSE_MS,
    randomize: true,
    shouldRetry: ({ error }) => !(error instanceof LiveKitUnavailableError && error.isFinal),
    ...(signal && { signal }),
  });
}

function explain(what: string, error: unknown): LiveKitUnavailableError {
  const message = error instanceof Error ? error.message : String(error);
  const { status } = error as { status?: unknown };
  // 408 and 429 ask for another attempt themselves.
  const isFinal = typeof status === 'number' && status < 500 && status !== 408 && status !== 429;
  return new LiveKitUnavailableError(`LiveKit: ${what}: ${message}`, { cause: error, isFinal });
}
