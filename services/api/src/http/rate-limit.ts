import { createHash } from 'node:crypto';
import { CodedError } from '@greenroom/contracts';
import type { RedisSchema } from '@greenroom/redis-schema';
import type { RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { factsOf } from './call.js';

const WINDOW_MS = 60_000;
/** One key stands for many users: a keyed client gets this many times the limit, for each of them. */
const KEYED_FACTOR = 10;

export interface RateLimitOptions {
  /** What is counted; part of the Redis key. */
  readonly name: string;
  readonly redis: Pick<RedisSchema, 'limiterCall'>;
  readonly keyPrefix: string;
  /** For one open client; 0 is no limit. */
  readonly perMinute: number;
}

/** Counts in Redis, so that all instances of the api share one count. One round trip a request. */
export function limitRate({ name, redis, keyPrefix, perMinute }: RateLimitOptions): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: (_request, response) =>
      factsOf(response).client.kind === 'keyed' ? perMinute * KEYED_FACTOR : perMinute,
    skip: (_request, response) => perMinute === 0 || factsOf(response).client.kind === 'admin',
    keyGenerator: (request, response) => clientKey(addressOf(request.ip), response),
    store: new RedisStore({ prefix: `${keyPrefix}limit:${name}:`, sendCommand: withoutLoading(redis) }),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // Its checks print to the console; what they look for is settled by TRUST_PROXY and our tests.
    validate: false,
    handler: (request, _response, next) => {
      const { resetTime } =
        (request as typeof request & { rateLimit?: { resetTime?: Date } }).rateLimit ?? {};
      const waitMs = (resetTime?.getTime() ?? Date.now() + WINDOW_MS) - Date.now();
      next(new CodedError('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }));
    },
  });
}

/** One household or server of IPv6 has 2^64 addresses and more: its network stands for it. */
export function addressOf(ip: string | undefined): string {
  return ip === undefined ? 'unknown' : ipKeyGenerator(ip);
}

function clientKey(address: string, response: Response): string {
  const { client, body } = factsOf(response);
  if (client.kind === 'open') return `address:${address}`;
  const { userId } = (body ?? {}) as { userId?: unknown };
  return `${client.scope}:${typeof userId === 'string' ? shortHash(userId) : ''}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * rate-limit-redis loads its scripts when it is made and gives up for good when Redis is away at that moment. So loading
 * happens here, without Redis: the name of a script is its SHA-1, and a server that does not know it gets the text.
 */
function withoutLoading(redis: Pick<RedisSchema, 'limiterCall'>): (...args: string[]) => Promise<RedisReply> {
  const scripts = new Map<string, string>();
  return async (...args) => {
    const [command, ...rest] = args;
    if (command === 'SCRIPT') return remember(scripts, rest[1] ?? '');
    try {
      return (await redis.limiterCall(...args)) as RedisReply;
    } catch (error) {
      const text = scripts.get(rest[0] ?? '');
      if (command !== 'EVALSHA' || text === undefined || !String(error).includes('NOSCRIPT')) throw error;
      return (await redis.limiterCall('EVAL', text, ...rest.slice(1))) as RedisReply;
    }
  };
}

function remember(scripts: Map<string, string>, text: string): string {
  const sha = createHash('sha1').update(text).digest('hex');
  scripts.set(sha, text);
  return sha;
}
