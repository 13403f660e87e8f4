import type { Logger } from './logger.js';
import type { Shutdown } from './shutdown.js';

export interface CrashPolicyOptions {
  readonly logger: Pick<Logger, 'error'>;
  readonly shutdown: Pick<Shutdown, 'run'>;
  readonly exit: (code: number) => void;
  /** Most that the ordered shutdown may take after a crash. Default 10 s. */
  readonly capMs?: number;
}

/**
 * What becomes of errors that nobody caught. A rejected promise that nobody waited for is a bug to be logged, but
 * leaves the state of the program as it was: serving goes on. After an uncaught exception nothing can be relied on:
 * the phases of the shutdown run, and the process ends with 1.
 *
 * @returns how to take the policy off again
 */
export function applyCrashPolicy(
  { logger, shutdown, exit, capMs = 10_000 }: CrashPolicyOptions,
  events: NodeJS.EventEmitter = process,
): () => void {
  const onRejection = (error: unknown) =>
    logger.error('a promise was rejected and nobody waited for it', { error });
  const onException = (error: unknown) => {
    logger.error('uncaught exception, stopping', { error });
    setTimeout(() => exit(1), capMs).unref();
    void shutdown.run('uncaught exception').then(() => exit(1));
  };
  events.on('unhandledRejection', onRejection);
  events.on('uncaughtException', onException);
  return () => {
    events.off('unhandledRejection', onRejection);
    events.off('uncaughtException', onException);
  };
}
