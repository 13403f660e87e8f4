import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import {
  type HostFields,
  type LaunchRef,
  openRedis,
  type OpenOptions,
  type RedisSchema,
  type StartArguments,
} from '../index.js';

/** What a host says with its heartbeat, where a test does not care. */
export const HOST_FACTS: HostFields = {
  capacity: 60,
  concurrency: 4,
  version: 'test',
  startedAt: 0,
  running: 0,
  draining: false,
};

/** What a launch is committed with, where a test does not care. */
export const PROCESS = {
  pid: 4242,
  pgid: 4242,
  startTime: '777',
  roomSid: 'RM_x',
  logFile: '/tmp/x.log',
};

type ClaimArguments = Parameters<RedisSchema['sessions']['claim']>[0];

/**
 * One Redis for the whole file, emptied before each test, and a connection of its own for each.
 * @param setUp takes both, and does what each test begins with
 */
export function useRedis(
  setUp: (opened: { redis: TestRedis; schema: RedisSchema }) => unknown,
  options: Partial<OpenOptions> = {},
): void {
  let redis: TestRedis;
  let schema: RedisSchema;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    schema = await openConnected({ url: redis.url, ...options });
    await setUp({ redis, schema });
  });
  afterEach(() => schema.close());
}

export async function openConnected(options: Partial<OpenOptions> & { url: string }): Promise<RedisSchema> {
  // A machine that is busy with other tests is no fault.
  const schema = openRedis({ clientName: 'test', commandTimeoutMs: 5000, ...options });
  await schema.connected(2000);
  return schema;
}

let serial = 0;

export function newId(kind: 'session' | 'prewarm' | 'launch' = 'session'): string {
  serial += 1;
  return `${kind}_${String(serial).padStart(24, '0')}`;
}

/** Registers a host and has it say that it lives. Every profile wants `poolTarget` warm agents. */
export async function addHost(
  schema: RedisSchema,
  host: string,
  { profiles = ['default'], poolTarget = 0 }: { profiles?: readonly string[]; poolTarget?: number } = {},
): Promise<void> {
  const offered = profiles.map((name) => ({ name, voices: [], poolTarget }));
  await schema.hosts.register(host, offered);
  await heartbeat(schema, host);
}

export function heartbeat(schema: RedisSchema, host: string, fields: Partial<HostFields> = {}) {
  return schema.hosts.heartbeat(host, { ...HOST_FACTS, ...fields });
}

/** A start of a caller that nobody knows; a new session unless an id is given. */
export function startArguments(overrides: Partial<StartArguments> = {}): StartArguments {
  const sessionId = overrides.sessionId ?? newId();
  return {
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: true,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
    ...overrides,
  };
}

/** Lists warm agents for launch, as many as the pool wants of `count`. @returns their ids */
export async function listWarm(schema: RedisSchema, count = 1, profile = 'default'): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId('prewarm'));
  const rooms = ids.map((id) => `greenroom-${id}`);
  const times = { warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 };
  return (await schema.pools.planRefill({ profile, ids, rooms, ...times })).created;
}

export function look(schema: RedisSchema, host: string, options: Partial<ClaimArguments> = {}) {
  const launch = newId('launch');
  return schema.sessions.claim({ host, launch, hostCapacity: 60, includePool: true, ...options });
}

/** The next launch that is due. @throws when there is none */
export async function claim(
  schema: RedisSchema,
  host: string,
  options: Partial<ClaimArguments> = {},
): Promise<LaunchRef & { roomName: string }> {
  const answer = await look(schema, host, options);
  if (answer.status !== 'claimed') throw new Error(`${host} has not claimed: ${answer.status}`);
  const { id: sessionId, generation, launch, roomName } = answer.session;
  return { sessionId, generation, launch, roomName };
}

/** Claims the next launch and records its process. */
export async function claimAndCommit(
  schema: RedisSchema,
  host: string,
  facts: Partial<Parameters<RedisSchema['sessions']['commitLaunch']>[1]> = {},
) {
  const ref = await claim(schema, host);
  await schema.sessions.commitLaunch(ref, { ...PROCESS, ...facts });
  return ref;
}
