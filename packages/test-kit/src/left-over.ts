import type { TestLiveKit } from './livekit.js';
import type { TestRedis } from './redis.js';

/**
 * What a deployment whose only host has left still holds in Redis and LiveKit, a line for each: its rooms, and the keys of its
 * sessions. A start that failed keeps its reason for 5 minutes; that is no leftover. Servers that are away by now hold
 * nothing that could be seen.
 */
export async function findLeftOver(
  host: string | undefined,
  redis: TestRedis,
  livekit: TestLiveKit,
): Promise<string[]> {
  let keys: string[];
  try {
    // Another host may well go on with its own.
    const hosts = (await redis.command('ZRANGE', 'hosts', 0, -1)) as string[];
    if (hosts.some((it) => it !== host)) return [];
    keys = [...((await redis.command('KEYS', 'session:*')) as string[])];
    keys.push(...((await redis.command('KEYS', 'agent:*')) as string[]));
  } catch {
    return [];
  }
  const failed = await failedSessions(redis, keys);
  const left = keys.filter((key) => !failed.some((id) => key.includes(id))).map((key) => `the key ${key}`);
  return [...left, ...(await findRooms(redis, livekit))];
}

async function failedSessions(redis: TestRedis, keys: readonly string[]): Promise<string[]> {
  const ids = keys.flatMap((key) => /^session:((?:session|prewarm)_.*)$/.exec(key)?.[1] ?? []);
  const states = await Promise.all(ids.map((id) => redis.command('HGET', `session:${id}`, 'status')));
  return ids.filter((_, i) => states[i] === 'error');
}

/** A LiveKit may be shared: only rooms with this deployment's mark are its own. */
async function findRooms(redis: TestRedis, livekit: TestLiveKit): Promise<string[]> {
  const deployment = await redis.command('GET', 'deployment');
  if (typeof deployment !== 'string') return [];
  const rooms = await livekit.rooms.listRooms().catch(() => []);
  return rooms
    .filter(({ metadata }) => metadata.includes(deployment))
    .map(({ name, numParticipants }) => `the room ${name} with ${numParticipants} participants`);
}
