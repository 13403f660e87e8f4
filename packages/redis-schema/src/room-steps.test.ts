import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openRedis, type RedisSchema } from './index.js';
import type { LaunchRef } from './sessions/index.js';

const HOST = 'host-a';
let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 1 }]);
  await heartbeat();
});
afterEach(() => schema.close());

function heartbeat() {
  const facts = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 0, draining: false };
  return schema.hosts.heartbeat(HOST, facts);
}

function newId(kind: 'session' | 'prewarm'): string {
  serial += 1;
  return `${kind}_${String(serial).padStart(24, '0')}`;
}

async function startCaller(): Promise<string> {
  const sessionId = newId('session');
  const { status } = await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
  });
  expect(['created', 'assigned']).toContain(status);
  return sessionId;
}

async function planWarm(): Promise<string> {
  const id = newId('prewarm');
  const times = { warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 };
  await schema.pools.planRefill({ profile: 'default', ids: [id], rooms: [`greenroom-${id}`], ...times });
  return id;
}

async function launchNext(): Promise<LaunchRef> {
  const launch = `launch${(serial += 1)}`;
  const claim = await schema.sessions.claim({ host: HOST, launch, hostCapacity: 60, includePool: true });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const ref = { sessionId: claim.session.id, generation: claim.session.generation, launch };
  const facts = { pid: 4242, pgid: 4242, startTime: '777', roomSid: 'RM_old', logFile: '/tmp/x.log' };
  await schema.sessions.commitLaunch(ref, facts);
  return ref;
}

const hash = (id: string, field: string) => redis.command('HGET', `session:${id}`, field);

describe('another room in the place of a lost one', () => {
  test('a call goes on with the sid of the new room, ready or not yet', async () => {
    const id = await startCaller();
    const ref = await launchNext();
    expect((await schema.sessions.replaceRoom(ref, 'RM_new')).status).toBe('ok');
    expect(await hash(id, 'roomSid')).toBe('RM_new');
    await schema.sessions.markReady(ref, 1);
    expect(await schema.sessions.replaceRoom(ref, 'RM_newer')).toMatchObject({
      status: 'ok',
      session: { id, status: 'ready', roomSid: 'RM_newer' },
    });
  });

  test('without a sid a call is only asked about', async () => {
    const id = await startCaller();
    expect((await schema.sessions.replaceRoom(await launchNext())).status).toBe('ok');
    expect(await hash(id, 'roomSid')).toBe('RM_old');
  });

  test('a warm agent is retired in the same step, warming or in the pool', async () => {
    const warming = await planWarm();
    expect(await schema.sessions.replaceRoom(await launchNext(), 'RM_new')).toEqual({ status: 'retired' });
    expect(await hash(warming, 'status')).toBe('ending');
    const pooled = await planWarm();
    const ref = await launchNext();
    expect((await schema.sessions.markReady(ref, 1)).status).toBe('pooled');
    expect(await schema.sessions.replaceRoom(ref)).toEqual({ status: 'retired' });
    expect(await hash(pooled, 'endReason')).toBe('warm_agent_retired');
    expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([]);
    expect((await heartbeat()).ending.sort()).toEqual([warming, pooled].sort());
  });

  test('a warm agent that has just got a caller stays', async () => {
    const id = await planWarm();
    const ref = await launchNext();
    await schema.sessions.markReady(ref, 1);
    await startCaller();
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toMatchObject({
      status: 'ok',
      session: { id, owner: 'caller', status: 'ready', roomSid: 'RM_new' },
    });
  });

  test('an ended session, or a later launch, is not touched', async () => {
    const id = await startCaller();
    const ref = await launchNext();
    expect(await schema.sessions.replaceRoom({ ...ref, launch: 'earlier' }, 'RM_new')).toEqual({
      status: 'superseded',
      now: 'starting',
    });
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toEqual({ status: 'superseded', now: 'ending' });
    expect(await hash(id, 'roomSid')).toBe('RM_old');
    await schema.sessions.finishEnd(id, ref.generation);
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toMatchObject({ status: 'superseded' });
    expect(await redis.command('EXISTS', `session:${id}`)).toBe(0);
  });
});

describe('a fenced room', () => {
  // As Ending.doom_fenced_room in commands/includes/ending.lua writes it.
  async function fence(room: string, untilMs: number): Promise<void> {
    await redis.command('HSET', 'rooms:fenced', room, Math.round(untilMs));
    await redis.command('ZADD', 'rooms:doomed', Date.now(), room);
  }

  test('stays doomed when it is deleted, and is due again some seconds later', async () => {
    await fence('room-a', Date.now() + 60_000);
    expect((await heartbeat()).doomed).toEqual(['room-a']);
    expect(await schema.rooms.clearDoomed('room-a')).toBe('fenced');
    expect((await heartbeat()).doomed).toEqual([]);
    const dueInMs = Number(await redis.command('ZSCORE', 'rooms:doomed', 'room-a')) - Date.now();
    expect(dueInMs).toBeGreaterThan(5000);
    expect(dueInMs).toBeLessThanOrEqual(15_000);
  });

  test('is cleared like any other once the token of its agent has run out', async () => {
    await fence('room-a', Date.now() - 1);
    expect(await schema.rooms.clearDoomed('room-a')).toBe('ok');
    expect(await redis.command('EXISTS', 'rooms:doomed', 'rooms:fenced')).toBe(0);
  });
});
