import { type Command, Redis } from 'ioredis';
import { RedisUnsuitableError } from './errors.js';

/**
 * What a connection is for decides how it may wait.
 * - `commands`: time-limited, nothing is queued while Redis is away, nothing is sent twice. ioredis would otherwise send
 *   unanswered commands again after a reconnect, and one step would be taken twice.
 * - `producer`: as `commands`, but BullMQ sets it up itself.
 * - `worker`: blocks by design; a time limit would break its blocking read.
 * - `subscriber`: waits for messages; pinged to notice a dead peer.
 */
export type ConnectionRole = 'commands' | 'producer' | 'worker' | 'subscriber';

export interface ConnectionOptions {
  url: string;
  clientName: string;
  role: ConnectionRole;
  /** Longest wait for one answer. Milliseconds. */
  commandTimeoutMs: number;
  onError: (error: Error) => void;
}

const RECONNECT_MAX_DELAY_MS = 1000;

export function connect(options: ConnectionOptions): Redis {
  const bounded = options.role === 'commands' || options.role === 'producer';
  const Connection = options.role === 'commands' ? PatientRedis : Redis;
  const connection = new Connection(options.url, {
    connectionName: `${options.clientName}:${options.role}`,
    connectTimeout: options.commandTimeoutMs,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 8), RECONNECT_MAX_DELAY_MS),
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: !bounded,
    maxRetriesPerRequest: bounded ? 0 : null,
    ...(bounded ? { commandTimeout: options.commandTimeoutMs } : {}),
    ...(options.role === 'subscriber' ? { autoResubscribe: true } : {}),
  });
  connection.on('error', options.onError);
  return connection;
}

/**
 * Time-limited, as ioredis is; but what ioredis gives up when its timer fires may have been answered while we were busy: a
 * thousand requests at once keep us from reading for longer than any limit. So what has arrived is read first.
 */
class PatientRedis extends Redis {
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const [command] = args;
    command.setTimeout = (limitMs) => limitTime(command, limitMs);
    return super.sendCommand(...args);
  }
}

function limitTime(command: Command, limitMs: number): void {
  const timer = setTimeout(() => setImmediate(giveUp), limitMs);
  const giveUp = (): void => {
    if (!command.isSettled) command.reject(new Error('Command timed out'));
  };
  const stop = (): void => clearTimeout(timer);
  command.promise.then(stop, stop);
}

/** @throws RedisUnsuitableError for a cluster, or a server older than scripts with flags */
export async function checkServer(connection: Redis): Promise<void> {
  const info = await connection.info('server');
  const major = Number(/redis_version:(\d+)/.exec(info)?.[1] ?? '0');
  if (major < 7) {
    throw new RedisUnsuitableError('Redis 7 or newer is needed: our steps use script flags.');
  }
  if (/redis_mode:cluster/.test(info)) {
    throw new RedisUnsuitableError(
      'Redis Cluster cannot be used: one step of state spans several keys. Give a standalone or Sentinel Redis.',
    );
  }
}
