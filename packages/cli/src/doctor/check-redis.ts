import { askRedis } from './ask-redis.js';
import { judgeClock } from './check-clock.js';
import { failure, type Finding, ok, warning } from './finding.js';

/** Lua scripts with flags need it. */
const OLDEST_MAJOR = 7;

export type RedisInfo = Readonly<Record<string, string>>;

/** Whether Greenroom can run on the Redis at this URL, and would keep its state. */
export async function checkRedis(url: string): Promise<Finding[]> {
  const where = withoutPassword(url);
  const askedAt = Date.now();
  try {
    const [pong, info, time] = await askRedis(url, [['PING'], ['INFO'], ['TIME']]);
    const answeredAt = Date.now();
    const refused = [pong, info].find((reply) => reply instanceof Error);
    if (refused instanceof Error) return [cannotAsk(where, refused)];
    return [
      ...judgeRedis(where, parseInfo(String(info))),
      ...(Array.isArray(time) ? [redisClock(time.map(Number), askedAt, answeredAt)] : []),
    ];
  } catch (error) {
    return [cannotAsk(where, error as NodeJS.ErrnoException)];
  }
}

function redisClock([seconds = 0, microseconds = 0]: number[], askedAt: number, answeredAt: number): Finding {
  const theirs = seconds * 1_000 + microseconds / 1_000;
  return judgeClock('clock.redis', 'Redis', { theirs, askedAt, answeredAt, precisionMs: 0 });
}

function cannotAsk(where: string, error: NodeJS.ErrnoException): Finding {
  if (error.message.startsWith('NOAUTH')) {
    return failure(
      'redis.reachable',
      `Redis at ${where} wants a password.`,
      'Give it: REDIS_URL=redis://:PASSWORD@host:6379',
    );
  }
  if (/WRONGPASS|invalid username|without any password/.test(error.message)) {
    return failure(
      'redis.reachable',
      `Redis at ${where} does not take the name or password in REDIS_URL.`,
      'Correct REDIS_URL=redis://NAME:PASSWORD@host:6379',
    );
  }
  const why = error.code ?? error.message;
  return failure(
    'redis.reachable',
    `Redis at ${where} does not answer (${why}).`,
    'Start it: systemctl start redis-server (or npm start, which starts one of its own). Or correct REDIS_URL.',
  );
}

/** Pure, for the tests: what the fields of INFO say. */
export function judgeRedis(where: string, info: RedisInfo): Finding[] {
  const version = info['redis_version'];
  if (version === undefined) {
    return [failure('redis.reachable', `What answers at ${where} is no Redis.`, 'Correct REDIS_URL.')];
  }
  return [
    ok('redis.reachable', `Redis answers at ${where}.`),
    judgeVersion(version),
    judgeMode(info),
    judgeEviction(info),
    judgePersistence(info),
    ...judgeMemory(info),
  ];
}

function judgeVersion(version: string): Finding {
  if (Number(version.split('.')[0]) >= OLDEST_MAJOR) return ok('redis.version', `Redis is ${version}.`);
  return failure(
    'redis.version',
    `Redis is ${version}, and ${OLDEST_MAJOR} or newer is needed.`,
    'Upgrade it, or run one beside it: docker run -d -p 6379:6379 redis:7.4 redis-server --appendonly yes',
  );
}

function judgeMode(info: RedisInfo): Finding {
  if (info['cluster_enabled'] === '1' || info['redis_mode'] === 'cluster') {
    return failure(
      'redis.mode',
      'It is a Redis Cluster, and one step of a session spans several keys.',
      'Give a standalone or Sentinel Redis by REDIS_URL.',
    );
  }
  if (info['role'] === 'slave') {
    return failure('redis.mode', 'It is a read-only replica.', 'Give the master by REDIS_URL.');
  }
  return ok('redis.mode', 'It is a master, and no cluster.');
}

function judgeEviction(info: RedisInfo): Finding {
  const policy = info['maxmemory_policy'] ?? 'unknown';
  if (policy === 'noeviction')
    return ok('redis.eviction', 'It never drops keys when it is full (noeviction).');
  const fix = 'redis-cli CONFIG SET maxmemory-policy noeviction && redis-cli CONFIG REWRITE';
  if (Number(info['maxmemory'] ?? 0) > 0) {
    return failure(
      'redis.eviction',
      `It drops keys when it is full (maxmemory-policy ${policy}): it would lose sessions.`,
      fix,
    );
  }
  return warning(
    'redis.eviction',
    `It would drop keys if it were full (maxmemory-policy ${policy}); it has no limit now.`,
    fix,
  );
}

function judgePersistence(info: RedisInfo): Finding {
  if (info['aof_enabled'] === '1')
    return ok('redis.persistence', 'It writes every change to disk (appendonly).');
  return warning(
    'redis.persistence',
    'It keeps nothing through a restart (appendonly is off): calls go on, but history, the waiting line and pool sizes are lost.',
    'redis-cli CONFIG SET appendonly yes && redis-cli CONFIG REWRITE',
  );
}

/** Only where it has a limit. */
function judgeMemory(info: RedisInfo): Finding[] {
  const used = Number(info['used_memory'] ?? 0);
  const max = Number(info['maxmemory'] ?? 0);
  if (max === 0) return [];
  const percent = Math.round((100 * used) / max);
  if (percent < 90) return [ok('redis.memory', `It uses ${percent} % of its memory.`)];
  return [
    warning(
      'redis.memory',
      `It uses ${percent} % of its memory; full, it refuses new sessions.`,
      `redis-cli CONFIG SET maxmemory ${max * 2}`,
    ),
  ];
}

export function parseInfo(text: string): RedisInfo {
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

export function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password) shown.password = '***';
  return shown.href;
}
