import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import {
  type HostFields,
  type LaunchRef,
  openRedis,
  type OpenOptions,
  type RedisSchema,
  type SessionRecord,
  type StartArguments,
} from '../index.js';

/** The Redis of this test file, once it has called `useRedis`. */
export let redis: TestRedis;
/** This test's own connection to it. */
export let schema: RedisSchema;

/** One Redis for the whole file, emptied before each test; `setUp` is what each test begins with. */
export function useRedis(setUp: () => unknown = () => undefined, options: Partial<OpenOptions> = {}): void {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    schema = await openConnected(options);
    await setUp();
  });
  afterEach(() => schema.close());
}

/** A connection that is set up in another way takes the place of this test's own. */
export async function reopen(options: Partial<OpenOptions>): Promise<void> {
  await schema.close();
  schema = await openConnected(options);
}

/** Another connection. Whoever opens it closes it. */
export async function openConnected(options: Partial<OpenOptions> = {}): Promise<RedisSchema> {
  // A machine that is busy with other tests is no fault.
  const opened = openRedis({ url: redis.url, clientName: 'test', commandTimeoutMs: 5000, ...options });
  await opened.connected(2000);
  return opened;
}

/** Where a test does not care which. */
export const HOST = 'host-a';

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

let serial = 0;

export function newId(kind: 'session' | 'prewarm' | 'launch' = 'session'): string {
  serial += 1;
  return `${kind}_${String(serial).padStart(24, '0')}`;
}

interface HostOptions extends Partial<HostFields> {
  profiles?: readonly string[];
  /** Of each profile. */
  poolTarget?: number;
}

/** Registers a host and has it say that it lives. */
export async function addHost(
  host = HOST,
  { profiles = ['default'], poolTarget = 0, ...fields }: HostOptions = {},
  via = schema,
): Promise<void> {
  const offered = profiles.map((name) => ({ name, voices: [], poolTarget }));
  await via.hosts.register(host, offered);
  await heartbeat(host, fields, via);
}

export function heartbeat(host = HOST, fields: Partial<HostFields> = {}, via = schema) {
  return via.hosts.heartbeat(host, { ...HOST_FACTS, ...fields });
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
    since: undefined,
    sessionTimeoutMs: 60_000,
    ...overrides,
  };
}

export function start(overrides: Partial<StartArguments> = {}, via = schema) {
  return via.sessions.start(startArguments(overrides));
}

/** @throws when the start was refused */
export async function startedId(overrides: Partial<StartArguments> = {}, via = schema): Promise<string> {
  const answer = await start(overrides, via);
  if (!('session' in answer)) throw new Error(`not started: ${answer.status}`);
  return answer.session.id;
}

/** Offers the pool so many ids of warm agents: it lists as many as it lacks. */
export function refill(count = 2, profile = 'default', via = schema) {
  const ids = Array.from({ length: count }, () => newId('prewarm'));
  const rooms = ids.map((id) => `greenroom-${id}`);
  return via.pools.planRefill({ profile, ids, rooms, warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 });
}

type ClaimOptions = Partial<Parameters<RedisSchema['sessions']['claim']>[0]>;

/** A host looks for work. */
export function look(host = HOST, options: ClaimOptions = {}, via = schema) {
  const launch = newId('launch');
  return via.sessions.claim({ host, launch, hostCapacity: 60, includePool: true, ...options });
}

/** The session whose launch was next. @throws when there was none for this host */
export async function claimSession(
  host = HOST,
  options: ClaimOptions = {},
  via = schema,
): Promise<SessionRecord & { launch: string }> {
  const answer = await look(host, options, via);
  if (answer.status !== 'claimed') throw new Error(`${host} has not claimed: ${answer.status}`);
  return answer.session;
}

/** The next launch. @throws when there is none for this host */
export async function claim(host = HOST, options: ClaimOptions = {}, via = schema): Promise<LaunchRef> {
  const { id: sessionId, generation, launch } = await claimSession(host, options, via);
  return { sessionId, generation, launch };
}

/** Claims the next launch and records its process. */
export async function spawn(
  host = HOST,
  facts: Partial<Parameters<RedisSchema['sessions']['commitLaunch']>[1]> = {},
  via = schema,
): Promise<LaunchRef> {
  const ref = await claim(host, {}, via);
  await via.sessions.commitLaunch(ref, { ...PROCESS, ...facts });
  return ref;
}

/** The next launch, until its agent is ready. */
export async function launch(
  host = HOST,
  facts: Parameters<typeof spawn>[1] = {},
  via = schema,
): Promise<LaunchRef> {
  const ref = await spawn(host, facts, via);
  await via.sessions.markReady(ref, 1000);
  return ref;
}

/** The caller hangs up, and nothing of its agent is left. */
export async function end(ref: Pick<LaunchRef, 'sessionId' | 'generation'>, via = schema): Promise<void> {
  await via.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' });
  await via.sessions.finishEnd(ref.sessionId, ref.generation);
}

/** @throws when it is over */
export async function liveSession(sessionId = ''): Promise<SessionRecord> {
  const found = await schema.sessions.read(sessionId);
  if (found.status !== 'live') throw new Error(`${sessionId} is ${found.status}`);
  return found.session;
}
