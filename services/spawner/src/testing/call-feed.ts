import type { CallEvent, CallState } from '@greenroom/dead-air';
import { openRedis, type RedisSchema, type SessionRecord } from '@greenroom/redis-schema';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { AgentRun } from '../agent-run.js';
import type { Profile } from '../agents/profile.js';
import { CallFeed } from '../calls/call-feed.js';

const HOST = 'host-a';
/** What is asked after, where no setting says otherwise. */
export const SILENCE_MS = 7000;
/** Far enough from both to tell them apart on a busy machine. */
export const SOON_MS = 60_000;

/** The Redis of this test file, once it has called `useCallFeed`. */
export let redis: TestRedis;
export let schema: RedisSchema;
/** This test's own. */
export let feed: CallFeed;
/** In whose calls somebody was heard before anybody had seen the caller. */
export let heardTooEarly: string[];
/** In whose rooms somebody was to listen, in order. */
export let listenedTo: string[];
let isInRoom: boolean;
let leaving: AbortController;
let warnings: unknown[];
let serial = 0;

/** One Redis for the whole file, emptied before each test, and a feed for each. */
export function useCallFeed(): void {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(setUp);
  afterEach(async () => {
    leaving.abort();
    await schema.close();
    expect(warnings).toEqual([]);
  });
}

/** From now on somebody listens in every room. */
export function listenInRooms(): void {
  isInRoom = true;
}

async function setUp(): Promise<void> {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 0 }]);
  await schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
  });
  leaving = new AbortController();
  heardTooEarly = [];
  listenedTo = [];
  isInRoom = false;
  warnings = [];
  feed = new CallFeed({
    redis: schema,
    host: HOST,
    leaving: leaving.signal,
    onSound: ({ id }) => heardTooEarly.push(id),
    listen: ({ id }) => listenedTo.push(id),
    isListenedTo: () => isInRoom,
    onError: (_run, error) => warnings.push(error),
  });
}

export const WATCHED = { deadAirSettings: {}, events: 'agent' } as Profile;
export const UNWATCHED = { deadAirSettings: undefined, events: 'auto' } as Profile;
/** Nothing is said of how it is heard. */
export const AUTO = { deadAirSettings: {}, events: 'auto' } as Profile;
export const BY_ROOM = { deadAirSettings: {}, events: 'room' } as Profile;

/** A call whose agent serves, and whose caller is there unless said otherwise. */
export async function startRun(session: Partial<SessionRecord> = {}, of = WATCHED): Promise<AgentRun> {
  const sessionId = `session_${String((serial += 1)).padStart(24, '0')}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    since: undefined,
    sessionTimeoutMs: 600_000,
  });
  const launch = `l-${serial}`;
  const claim = await schema.sessions.claim({
    host: HOST,
    launch,
    hostCapacity: 60,
    includePool: true,
  });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const ref = { sessionId, generation: claim.session.generation, launch };
  const there = { status: 'ready', callerJoinedAt: Date.now() } as const;
  const run = new AgentRun(ref, { ...claim.session, ...there, ...session }, of);
  run.phase = 'serving';
  return run;
}

/** Another agent in its place. */
export function nextLaunch({ ref, session, profile: of }: AgentRun): AgentRun {
  const run = new AgentRun(
    { ...ref, generation: ref.generation + 1, launch: `${ref.launch}-next` },
    session,
    of,
  );
  run.phase = 'serving';
  return run;
}

/** As a spawner finds it that starts anew. */
export function adopt({ ref, session, profile }: AgentRun): AgentRun {
  const adopted = new AgentRun(ref, session, profile);
  adopted.phase = 'serving';
  return adopted;
}

let read = 0;

/** As a reading of its own, unless it is said where it began. */
export function hear(run: AgentRun, heard: readonly CallEvent[], from = (read += 1)): Promise<void> {
  return feed.hear(run, heard, { source: 'events', from });
}

/** Whatever was told before this has arrived. */
export async function callOf(run: AgentRun) {
  await hear(run, [{ kind: 'agent_changed', at: 1 }]);
  const call = await schema.calls.read(run.id);
  return call && { ...call, state: call.state as CallState };
}

/** As it is, once it is there. */
export function waitForCall({ id }: AgentRun) {
  return waitFor(async () => {
    const call = await schema.calls.read(id);
    return call && { ...call, state: call.state as CallState };
  });
}

/** In how many ms time itself changes the call. */
export async function dueInMs(run: AgentRun): Promise<number> {
  const call = await callOf(run);
  return (call?.dueAt ?? Number.NaN) - schema.clock.now();
}

export const now = () => Math.round(schema.clock.now());
export const tool = (active: boolean): CallEvent => ({
  kind: active ? 'work_started' : 'work_ended',
  id: 'tool:find',
  at: now(),
});
