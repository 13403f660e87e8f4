import { createLogger as createWinston, format, type Logger, transports } from 'winston';
import { createRedactor } from './redact.js';

export type { Logger };

export interface LoggerOptions {
  /** Stands in every line. */
  service: string;
  level: string;
  /** Values that never appear in a line, wherever they would stand; see `secretsOf`. */
  secrets: readonly string[];
  /** Default stdout. */
  destination?: NodeJS.WritableStream;
}

/** One JSON object a line. Secrets are taken out of messages and fields alike. */
export function createLogger({
  service,
  level,
  secrets,
  destination = process.stdout,
}: LoggerOptions): Logger {
  const redact = createRedactor(secrets);
  // Whoever read our log may go away; that must not end a call.
  destination.on('error', () => undefined);
  return createWinston({
    level,
    defaultMeta: { service },
    format: format.combine(
      format.timestamp(),
      format((info) => Object.assign(info, redact({ ...info })))(),
      format.json(),
    ),
    transports: [new transports.Stream({ stream: destination })],
  });
}

/** Resolves when every line was handed to the destination. The logger takes no more. */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    logger.once('finish', () => resolve());
    logger.end();
  });
}
