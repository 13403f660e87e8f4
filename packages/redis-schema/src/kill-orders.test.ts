import { afterEach, describe, expect, test } from '@jest/globals';
import type { RedisSchema } from './index.js';
import {
  addHost,
  claimSession,
  heartbeat,
  openConnected,
  PROCESS,
  redis,
  schema,
  look,
  startedId,
  useRedis,
} from './testing/steps.js';

const SILENT_MS = 16_000;
/** Spawners, each with a connection of its own; `schema` is an api's. */
let a: RedisSchema;
let b: RedisSchema;

useRedis(async () => {
  [a, b] = [await openSpawner('a'), await openSpawner('b')];
  await addHost('a', { poolTarget: 1 }, a);
  await addHost('b', { poolTarget: 1 }, b);
});
afterEach(() => Promise.all([a, b].map((it) => it.close())));

function openSpawner(host: string): Promise<RedisSchema> {
  return openConnected({ clientName: host, holder: { host, incarnation: host, lock: host, machine: host } });
}

function beat(it: RedisSchema, host: string) {
  return heartbeat(host, {}, it);
}

/** As if the host had not been heard for a while. */
async function silence(host: string): Promise<void> {
  await redis.command('ZADD', 'hosts', Date.now() - SILENT_MS, host);
}

async function callOn(it: RedisSchema, host: string, userId?: string) {
  await startedId({ userId });
  return launchOn(it, host);
}

async function launchOn(it: RedisSchema, host: string) {
  const { id: sessionId, generation, launch, roomName } = await claimSession(host, {}, it);
  const ref = { sessionId, generation, launch };
  await it.sessions.commitLaunch(ref, { ...PROCESS, tokenLifeMs: 70_000 });
  await it.sessions.markReady(ref, 1000);
  return { ...ref, roomName };
}

function end(it: RedisSchema, sessionId: string) {
  return it.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
}

async function leftOf(sessionId: string): Promise<string[]> {
  const keys = (await redis.command('KEYS', `*${sessionId}*`)) as string[];
  return keys.filter((key) => !/^(ended|history):/.test(key));
}

describe('the end of a session whose host is unreachable', () => {
  test('frees the place and the user at once, is remembered, dooms the room and leaves an order on that host', async () => {
    const call = await callOn(b, 'b', 'alice');
    await silence('b');
    expect(await end(schema, call.sessionId)).toMatchObject({
      status: 'fenced',
      session: { roomName: call.roomName },
    });
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'caller_ended', endedBy: 'caller' },
    });
    expect(await leftOf(call.sessionId)).toEqual([]);
    expect(await schema.health.read()).toMatchObject({ callers: 0, totals: { totalEnded: 1 } });
    expect((await callOn(a, 'a', 'alice')).sessionId).not.toBe(call.sessionId);
    expect((await beat(a, 'a')).doomed).toContain(call.roomName);
    expect((await beat(a, 'a')).kills).toEqual([]);
    expect((await beat(b, 'b')).kills).toEqual([call]);
  });

  test('asked again, it is over: one end is counted and one order is left', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    const statuses = await Promise.all(Array.from({ length: 50 }, () => end(schema, call.sessionId)));
    expect(statuses.filter((it) => it.status === 'fenced')).toHaveLength(1);
    expect(statuses.filter((it) => it.status === 'ended')).toHaveLength(49);
    expect((await schema.health.read()).totals.totalEnded).toBe(1);
    expect((await beat(b, 'b')).kills).toHaveLength(1);
  });

  test('the order is repeated with each heartbeat until it is carried out, outlives tokens and an orderly leave', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    await end(schema, call.sessionId);
    const week = 7 * 24 * 3600;
    expect(Number(await redis.command('TTL', 'host:b:kill'))).toBeGreaterThan(week - 60);
    await beat(b, 'b');
    await b.hosts.remove('b', { hasCalls: false });
    await addHost('b', { poolTarget: 1 }, b);
    expect((await beat(b, 'b')).kills).toEqual([call]);
    await b.hosts.clearKillOrder('b', call);
    expect((await beat(b, 'b')).kills).toEqual([]);
    expect(await redis.command('EXISTS', 'host:b:kill')).toBe(0);
  });

  test('its room is deleted again and again while its agent could bring it back, and no longer', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    await end(schema, call.sessionId);
    expect(await schema.rooms.clearDoomed(call.roomName)).toBe('fenced');
    const until = Number(await redis.command('HGET', 'rooms:fenced', call.roomName));
    expect(until - Date.now()).toBeGreaterThan(65_000);
    await b.hosts.clearKillOrder('b', call);
    expect(await schema.rooms.clearDoomed(call.roomName)).toBe('ok');
    expect(await redis.command('EXISTS', 'rooms:doomed', 'rooms:fenced')).toBe(0);
  });

  test('what the order names still takes a place of its host', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    await end(schema, call.sessionId);
    await beat(b, 'b');
    const claim = () => look('b', { hostCapacity: 1 }, b);
    expect(await claim()).toMatchObject({ status: 'host_full' });
    await b.hosts.clearKillOrder('b', call);
    expect(await claim()).toMatchObject({ status: 'none' });
  });

  test('steps of the silent host that come late change nothing', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    await end(schema, call.sessionId);
    expect(await b.sessions.finishEnd(call.sessionId, call.generation)).toEqual({ status: 'not_found' });
    expect(await b.sessions.markReady(call, 1)).toMatchObject({ status: 'superseded' });
    expect(await b.sessions.renew(call, 60_000, {})).toMatchObject({ status: 'superseded' });
    expect(await leftOf(call.sessionId)).toEqual([]);
  });

  test('a warm agent of it that is not wanted any more ends in the same way', async () => {
    const [id, room] = ['prewarm_000000000000000000000001', 'room-warm'];
    await schema.pools.planRefill({
      profile: 'default',
      ids: [id],
      rooms: [room],
      warmMaxAgeMs: 60_000,
      sessionTimeoutMs: 60_000,
    });
    const warm = await launchOn(b, 'b');
    await silence('b');
    await schema.pools.resize('default', 0);
    expect(await leftOf(id)).toEqual([]);
    expect((await beat(b, 'b')).kills).toEqual([warm]);
  });
});

describe('a host that falls silent after the request', () => {
  test('is relieved of it by the next heartbeat of another one', async () => {
    const call = await callOn(b, 'b');
    expect(await end(schema, call.sessionId)).toMatchObject({ status: 'ending' });
    await beat(a, 'a');
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({ session: { status: 'ending' } });
    await silence('b');
    expect((await beat(a, 'a')).doomed).toContain(call.roomName);
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({ status: 'ended' });
    expect((await beat(b, 'b')).kills).toEqual([call]);
  });

  test('or by the same request again', async () => {
    const call = await callOn(b, 'b');
    await end(schema, call.sessionId);
    await silence('b');
    expect(await end(schema, call.sessionId)).toMatchObject({ status: 'fenced' });
    expect((await schema.health.read()).totals.totalEnded).toBe(1);
  });

  test('keeps what nobody has asked to end', async () => {
    const call = await callOn(b, 'b');
    await silence('b');
    await beat(a, 'a');
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({ session: { status: 'ready' } });
    expect((await beat(b, 'b')).kills).toEqual([]);
  });

  test('is not judged by one that was not heard itself: Redis was away for both', async () => {
    const call = await callOn(b, 'b');
    await end(schema, call.sessionId);
    await silence('a');
    await silence('b');
    await beat(a, 'a');
    expect((await beat(b, 'b')).ending).toEqual([call.sessionId]);
    await beat(a, 'a');
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({ session: { status: 'ending' } });
  });

  test('and that left in order without finishing is silent from then on', async () => {
    const call = await callOn(b, 'b');
    await end(schema, call.sessionId);
    await b.hosts.remove('b', { hasCalls: false });
    await beat(a, 'a');
    expect(await schema.sessions.read(call.sessionId)).toMatchObject({ status: 'ended' });
    await addHost('b', { poolTarget: 1 }, b);
    expect((await beat(b, 'b')).kills).toEqual([call]);
  });
});

test('the owner itself is there, whatever its last heartbeat says: it verifies before the place is free', async () => {
  const call = await callOn(b, 'b');
  await silence('b');
  expect(await end(b, call.sessionId)).toMatchObject({ status: 'ending' });
  expect(await b.sessions.finishEnd(call.sessionId, call.generation)).toEqual({ status: 'gone' });
  expect((await beat(b, 'b')).kills).toEqual([]);
});

test('50 requests for a host that is there are one end', async () => {
  const call = await callOn(b, 'b');
  const statuses = await Promise.all(Array.from({ length: 50 }, () => end(schema, call.sessionId)));
  expect(statuses.filter((it) => it.status === 'ending')).toHaveLength(1);
  expect(statuses.filter((it) => it.status === 'already_ending')).toHaveLength(49);
  expect((await beat(a, 'a')).ending).toEqual([]);
  expect((await beat(b, 'b')).ending).toEqual([call.sessionId]);
});
