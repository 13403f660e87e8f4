import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
  const logger = createWinston({
    level,
    defaultMeta: { service },
    format: format.combine(
      format.timestamp(),
      format((info) => Object.assign(info, redact({ ...info })))(),
      format.json(),
    ),
    transports: [new transports.Stream({ stream: destination })],
  });
  destinations.set(logger, destination);
  return logger;
}

/** Resolves when every line so far was handed over. Lines may follow: those of the shutdown itself, say. */
export async function flushLogger(logger: Logger): Promise<void> {
  const waiting = () => unwritten(logger) + logger.transports.reduce((sum, each) => sum + unwritten(each), 0);
  while (waiting() > 0) await nextTurn();
  const destination = destinations.get(logger);
  while (destination && unwritten(destination) > 0) await nextTurn();
}

const destinations = new WeakMap<Logger, NodeJS.WritableStream>();

/** winston's streams and ours, whatever kind they are. */
function unwritten(stream: object): number {
  const { writableLength = 0, readableLength = 0 } = stream as Partial<Duplex>;
  return writableLength + readableLength;
}
