import type { LaunchRef, RedisSchema, Retention } from '../index.js';
import { addHost, HOST, redis, refill, reopen, schema, spawn, startedId, useRedis } from './steps.js';

export const OTHER_HOST = 'host-b';
export const DAY_MS = 86_400_000;
const RETENTION = { historyMs: 30 * DAY_MS, historyMax: 100, transcriptMs: 0, logMs: 7 * DAY_MS };
export const FAILURE = {
  error: 'It exited.',
  maxAttempts: 1,
  backoffMs: 1,
  holdoffBaseMs: 1,
  holdoffMaxMs: 1,
};

/** Two hosts, and a history that keeps everything but transcripts. */
export function useHistory(): void {
  useRedis(() => Promise.all([HOST, OTHER_HOST].map((host) => addHost(host))), { retention: RETENTION });
}

/** From now on other times are kept. */
export function keep(retention: Partial<Retention>, onUnreadable?: (key: string) => void): Promise<void> {
  return reopen({ retention: { ...RETENTION, ...retention }, ...(onUnreadable && { onUnreadable }) });
}

interface StartOptions {
  userId?: string;
  userScope?: string;
  userName?: string;
  key?: string;
  maxSessions?: number;
  queueMax?: number;
}

export function startCall({ key, ...rest }: StartOptions = {}): Promise<string> {
  const idempotency = key === undefined ? {} : { idempotency: { scope: 'test', key, bodyHash: 'x' } };
  return startedId({ ...rest, ...idempotency });
}

export async function launch(host = HOST): Promise<LaunchRef> {
  const ref = await spawn(host);
  await schema.sessions.markReady(ref, 100);
  return ref;
}

export async function end(ref: LaunchRef, reason = 'caller_ended' as const): Promise<void> {
  await schema.sessions.requestEnd({ sessionId: ref.sessionId, reason, by: 'caller', detail: 'bye' });
  await schema.sessions.finishEnd(ref.sessionId, ref.generation);
}

/** A whole call. */
export async function call(over: StartOptions = {}, host = HOST): Promise<string> {
  await startCall(over);
  const ref = await launch(host);
  await end(ref);
  return ref.sessionId;
}

export async function warmAgent(): Promise<LaunchRef> {
  await schema.pools.resize('default', 1);
  await refill(1);
  return launch();
}

export function say(ref: LaunchRef, type: string, data: object) {
  return schema.agents.append(ref, { lines: [], events: [{ type, data }] });
}

export function spoken(text: string, final = true) {
  return { role: 'user', text, final };
}

export async function entryOf(id: string) {
  const entry = await schema.history.read(id);
  if (entry === undefined) throw new Error(`${id} has no entry`);
  return entry;
}

export async function idsOf(filter: Parameters<RedisSchema['history']['list']>[0] = {}): Promise<string[]> {
  return (await schema.history.list(filter, { limit: 100 })).entries.map(({ id }) => id);
}

export async function keys(pattern: string): Promise<string[]> {
  return ((await redis.command('KEYS', pattern)) as string[]).sort();
}
