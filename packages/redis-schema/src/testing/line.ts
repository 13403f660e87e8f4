import type { StartArguments } from '../index.js';
import {
  addHost as addPlainHost,
  claim,
  HOST,
  liveSession,
  newId,
  PROCESS,
  redis,
  schema,
  start as startAnybody,
} from './steps.js';

export const MAX_SESSIONS = 2;

interface HostOptions {
  capacity?: number;
  draining?: boolean;
  profiles?: string[];
}

export function addHost(host = HOST, options: HostOptions = {}): Promise<void> {
  return addPlainHost(host, { poolTarget: 5, ...options });
}

/** A caller who may stand in line. */
export function start(overrides: Partial<StartArguments> = {}) {
  const inLine = { maxSessions: MAX_SESSIONS, queueMax: 20, client: 'one', sessionTimeoutMs: 600_000 };
  return startAnybody({ ...inLine, ...overrides });
}

export async function startId(overrides: Partial<StartArguments> = {}): Promise<string> {
  const answer = await start(overrides);
  if (!('session' in answer)) throw new Error(`not started: ${answer.status}`);
  return answer.session.id;
}

/** Launches what is due on the host until it is ready. */
export async function launch(host = HOST, hostCapacity = 60) {
  const ref = await claim(host, { hostCapacity });
  await schema.sessions.commitLaunch(ref, PROCESS);
  return { ref, ready: await schema.sessions.markReady(ref, 1000) };
}

export async function listWarm(profile = 'default', count = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId('prewarm'));
  await schema.pools.planRefill({
    profile,
    ids,
    rooms: ids.map((id) => `greenroom-${id}`),
    warmMaxAgeMs: 600_000,
    sessionTimeoutMs: 600_000,
  });
  return ids;
}

export async function warmUp(profile = 'default', host = 'host-a'): Promise<string> {
  const [id = ''] = await listWarm(profile);
  await launch(host);
  return id;
}

/** As many calls as there may be. */
export async function fill(): Promise<string[]> {
  const ids = [];
  for (let count = 0; count < MAX_SESSIONS; count += 1) {
    ids.push(await startId());
    await launch();
  }
  return ids;
}

export async function end(sessionId = ''): Promise<void> {
  await schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
  const { generation } = await liveSession(sessionId);
  await schema.sessions.finishEnd(sessionId, generation);
}

export async function statusOf(sessionId: string): Promise<string> {
  const found = await schema.sessions.read(sessionId);
  return found.status === 'live' ? found.session.status : found.status;
}

export function line(): Promise<string[]> {
  return redis.command('ZRANGE', 'line', 0, -1) as Promise<string[]>;
}

export async function clockMs(): Promise<number> {
  const [seconds] = (await redis.command('TIME')) as string[];
  return Number(seconds) * 1000;
}

/** As if the caller had not asked for this long. */
export async function silence(sessionId: string, ms: number): Promise<void> {
  await redis.command('ZADD', 'line:asked', (await clockMs()) - ms, sessionId);
}

/** Data of the events of one kind in the session's stream. */
export async function eventsOf(sessionId: string, kind: string): Promise<Record<string, unknown>[]> {
  const entries = (await redis.command('XRANGE', `stream:${sessionId}`, '-', '+')) as [string, string[]][];
  return entries
    .map(([, flat]) => Object.fromEntries(flat.flatMap((it, i) => (i % 2 ? [] : [[it, flat[i + 1]]]))))
    .filter((entry) => entry.type === kind)
    .map((entry) => JSON.parse(String(entry.data)));
}
