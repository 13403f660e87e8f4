import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';

/** Plain reads of hashes, where no step is needed. */
export class HashReader {
  readonly #connection: Redis;
  readonly #keyPrefix: string;

  constructor(connection: Redis, keyPrefix: string) {
    this.#connection = connection;
    this.#keyPrefix = keyPrefix;
  }

  async read(key: string): Promise<Record<string, string> | undefined> {
    try {
      return nonEmpty(await this.#connection.hgetall(this.#keyPrefix + key));
    } catch (error) {
      throw toSchemaError(error, 'read');
    }
  }

  async readText(key: string): Promise<string | undefined> {
    try {
      return (await this.#connection.get(this.#keyPrefix + key)) ?? undefined;
    } catch (error) {
      throw toSchemaError(error, 'read');
    }
  }

  /** Two hashes in one round trip. */
  async readBoth(
    first: string,
    second: string,
  ): Promise<[Record<string, string> | undefined, Record<string, string> | undefined]> {
    try {
      const replies = await this.#connection
        .pipeline()
        .hgetall(this.#keyPrefix + first)
        .hgetall(this.#keyPrefix + second)
        .exec();
      const [a, b] = (replies ?? []).map(([error, value]) => {
        if (error) throw error;
        return nonEmpty(value as Record<string, string>);
      });
      return [a, b];
    } catch (error) {
      throw toSchemaError(error, 'read');
    }
  }
}

function nonEmpty(hash: Record<string, string>): Record<string, string> | undefined {
  return Object.keys(hash).length === 0 ? undefined : hash;
}
