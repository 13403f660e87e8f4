import type { Redis } from 'ioredis';
import { RedisUnsuitableError } from './errors.js';

/**
 * Number of the form that our data has in Redis. Versions N and N-1 run on the same data, so new keys and fields need no new
 * number: readers do without them. It is raised when something changes its meaning.
 */
export const DATA_SCHEMA = 1;

/** @throws RedisUnsuitableError where a version that we do not know has written the data */
export async function checkDataSchema(connection: Redis, keyPrefix: string): Promise<void> {
  const found = await connection.get(`${keyPrefix}schema`);
  // Without one it is empty, or written by a version before there was a number.
  if (found !== null && found !== String(DATA_SCHEMA)) throw otherSchema(found);
}

export function otherSchema(found: string): RedisUnsuitableError {
  return new RedisUnsuitableError(
    `The data in Redis has schema ${found}, and this version knows ${DATA_SCHEMA}. Start the version that wrote it, ` +
      'or give this one another Redis or REDIS_KEY_PREFIX.',
  );
}
