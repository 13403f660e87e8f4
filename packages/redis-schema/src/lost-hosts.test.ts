import { afterEach, describe, expect, test } from '@jest/globals';
import type { RedisSchema } from './index.js';
import {
  addHost,
  claimSession,
  heartbeat,
  openConnected,
  PROCESS,
  redis,
  refill,
  schema,
  startedId,
  useRedis,
} from './testing/steps.js';

const LOST_AFTER_MS = 30_000;
const HOST_OPTIONS = { poolTarget: 1, lostAfterMs: LOST_AFTER_MS };
/** Spawners, each with a connection of its own; `schema` is an api's. */
let a: RedisSchema;
let b: RedisSchema;

useRedis(async () => {
  [a, b] = [await openConnected({ clientName: 'a' }), await openConnected({ clientName: 'b' })];
  await addHost('a', HOST_OPTIONS, a);
  await addHost('b', HOST_OPTIONS, b);
  // Redis was never away, as far as anybody knows.
  await redis.command('SET', 'hosts:awake', 1);
});
afterEach(() => Promise.all([a, b].map((it) => it.close())));

function beat(it: RedisSchema, host: string, draining = false) {
  return heartbeat(host, { draining, lostAfterMs: LOST_AFTER_MS }, it);
}

async function silence(host: string, ms: number): Promise<void> {
  await redis.command('ZADD', 'hosts', Date.now() - ms, host);
}

async function claimOn(it: RedisSchema, host: string) {
  const { id: sessionId, generation, launch, roomName } = await claimSession(host, {}, it);
  return { sessionId, generation, launch, roomName };
}

type Launch = Awaited<ReturnType<typeof claimOn>>;

async function commit(it: RedisSchema, launch: Launch) {
  return it.sessions.commitLaunch(launch, { ...PROCESS, tokenLifeMs: 70_000 });
}

async function launchOn(it: RedisSchema, host: string) {
  const launch = await claimOn(it, host);
  await commit(it, launch);
  await it.sessions.markReady(launch, 1000);
  return launch;
}

async function callOn(it: RedisSchema, host: string) {
  await startedId();
  return launchOn(it, host);
}

async function warmOn(it: RedisSchema, host: string) {
  await refill(1);
  return launchOn(it, host);
}

function moveLost(it: RedisSchema, launch: Launch, host = 'b') {
  return it.sessions.move(launch, { host, cause: 'host_lost', lostAfterMs: LOST_AFTER_MS });
}

async function read(sessionId: string) {
  const found = await schema.sessions.read(sessionId);
  return found.status === 'live' ? found.session : found;
}

function pending() {
  return redis.command('ZRANGE', 'spawn:pending', '0', '-1');
}

describe('a host that has been silent', () => {
  test('for less than HOST_LOST_AFTER is not looked at, and nothing of it is moved', async () => {
    const call = await callOn(b, 'b');
    await silence('b', LOST_AFTER_MS - 5000);
    expect((await beat(a, 'a')).silent).toEqual([]);
    expect(await moveLost(a, call)).toEqual({ status: 'not_lost' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
  });

  test('for longer names its launches to one other host at a time', async () => {
    const call = await callOn(b, 'b');
    await silence('b', LOST_AFTER_MS + 5000);
    expect((await beat(a, 'a')).silent).toEqual([{ ...call, host: 'b' }]);
    expect((await beat(a, 'a')).silent).toEqual([]);
    await redis.command('HSET', 'host:b', 'lookedAt', Date.now() - 5000);
    expect((await beat(a, 'a')).silent).toHaveLength(1);
  });

  test('with more launches than are looked at in one go has all of them looked at in the end', async () => {
    for (let i = 0; i < 220; i += 1) {
      await redis.command('HSET', `session:live${i}`, 'host', 'b', 'launch', `l${i}`, 'generation', '1');
      await redis.command('SADD', 'host:b:sessions', `live${i}`);
    }
    const seen = new Set<string>();
    for (let looks = 0; looks < 20 && seen.size < 220; looks += 1) {
      await silence('b', LOST_AFTER_MS + 5000);
      await redis.command('HDEL', 'host:b', 'lookedAt');
      for (const { launch } of (await beat(a, 'a')).silent) seen.add(launch);
    }
    expect(seen.size).toBe(220);
  });

  test('while Redis itself was away is not lost: its silence counts from then on', async () => {
    const call = await callOn(b, 'b');
    await silence('a', 300_000);
    await silence('b', 300_000);
    expect((await beat(a, 'a')).silent).toEqual([]);
    expect((await beat(a, 'a')).silent).toEqual([]);
    expect(await moveLost(a, call)).toEqual({ status: 'not_lost' });
  });

  test('has its uncommitted launches placed again with the next heartbeat of another; its own commit comes too late', async () => {
    const sessionId = await startedId();
    const late = await claimOn(b, 'b');
    await silence('b', 16_000);
    await beat(a, 'a');
    expect(await pending()).toEqual([sessionId]);
    expect(await commit(b, late)).toMatchObject({ status: 'superseded' });
    expect(await launchOn(a, 'a')).toMatchObject({ sessionId, generation: 2 });
    expect(await read(sessionId)).toMatchObject({ status: 'ready', host: 'a', attempts: 0, restarts: 0 });
    expect(await beat(b, 'b')).toMatchObject({ kills: [{ launch: late.launch }] });
  });

  test('keeps what it has committed, and what is only starting, until it is lost', async () => {
    await startedId();
    const starting = await claimOn(b, 'b');
    await commit(b, starting);
    await silence('b', 16_000);
    await beat(a, 'a');
    expect(await pending()).toEqual([]);
    await silence('b', LOST_AFTER_MS);
    expect(await moveLost(a, starting)).toEqual({ status: 'moved' });
    expect(await read(starting.sessionId)).toMatchObject({ status: 'starting', restarts: 0, attempts: 0 });
    expect(await launchOn(a, 'a')).toMatchObject({ sessionId: starting.sessionId, generation: 2 });
  });
});

describe('a call of a lost host', () => {
  async function lostCall() {
    const call = await callOn(b, 'b');
    await silence('b', LOST_AFTER_MS);
    return call;
  }

  test('moves: same id and room, the next generation elsewhere, an order for the old host, its place kept throughout', async () => {
    const call = await lostCall();
    expect(await moveLost(a, call)).toEqual({ status: 'moved' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'restarting', host: undefined, restarts: 1 });
    expect(await schema.health.read()).toMatchObject({ callers: 1, starting: 1, ready: 0 });
    const next = await launchOn(a, 'a');
    expect(next).toMatchObject({ sessionId: call.sessionId, roomName: call.roomName, generation: 2 });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'a' });
    expect((await beat(b, 'b')).kills).toEqual([call]);
    expect((await beat(a, 'a')).doomed).toEqual([]);
  });

  test('moved twice, because an answer was lost, moves once', async () => {
    const call = await lostCall();
    expect(await Promise.all([moveLost(a, call), moveLost(a, call)])).toEqual([
      { status: 'moved' },
      { status: 'moved' },
    ]);
    await launchOn(a, 'a');
    expect(await moveLost(a, call)).toEqual({ status: 'moved' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', restarts: 1, generation: 2 });
  });

  test('ends as host_lost where no other host takes launches, and its room is fenced', async () => {
    const call = await lostCall();
    await beat(a, 'a', true);
    expect(await moveLost(a, call)).toEqual({ status: 'ended' });
    expect(await read(call.sessionId)).toMatchObject({
      ended: { endReason: 'host_lost', endedBy: 'spawner' },
    });
    expect((await beat(a, 'a')).doomed).toEqual([call.roomName]);
    expect((await beat(b, 'b')).kills).toEqual([call]);
  });

  test('that was heard again just before stays where it is', async () => {
    const call = await lostCall();
    await beat(b, 'b');
    expect(await moveLost(a, call)).toEqual({ status: 'not_lost' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
  });

  test('whose end was asked for meanwhile is not moved: the first cause wins', async () => {
    const call = await lostCall();
    await schema.sessions.requestEnd({ sessionId: call.sessionId, reason: 'caller_ended', by: 'caller' });
    expect(await moveLost(a, call)).toMatchObject({ status: 'superseded' });
    expect(await read(call.sessionId)).toMatchObject({ ended: { endReason: 'caller_ended' } });
  });

  test('leaves its agent without a say: no step of the old launch changes the moved session', async () => {
    const call = await lostCall();
    await moveLost(a, call);
    const policy = { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 } as const;
    const { sessionId, launch } = call;
    for (const session of ['waits', 'runs']) {
      if (session === 'runs') await launchOn(a, 'a');
      const before = await read(sessionId);
      expect(await b.sessions.restart(call, policy)).toMatchObject({ status: 'superseded' });
      expect(await b.sessions.renew(call, 60_000, {})).toMatchObject({ status: 'superseded' });
      expect(await b.sessions.finishEnd(sessionId, call.generation)).toMatchObject({ status: 'not_ending' });
      const end = { sessionId, reason: 'agent_ended', by: 'agent', expectLaunch: launch } as const;
      expect(await b.sessions.requestEnd(end)).toMatchObject({ status: 'refused' });
      expect(await read(sessionId)).toEqual(before);
    }
  });

  test('is known to its next owner as one whose older agent may come back, until the old host has cleared its order', async () => {
    const call = await lostCall();
    await moveLost(a, call);
    await launchOn(a, 'a');
    const { fencedUntil } = (await read(call.sessionId)) as { fencedUntil?: number };
    expect(fencedUntil).toBeGreaterThan(Date.now() + 60_000);
    const [order] = (await beat(b, 'b')).kills;
    if (order === undefined) throw new Error('no order');
    await b.hosts.clearKillOrder('b', order);
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', fencedUntil: undefined });
  });

  test('that was lost a second time stays fenced against the first host when the second is back', async () => {
    const first = await lostCall();
    await moveLost(a, first);
    const second = await launchOn(a, 'a');
    await silence('b', 0);
    await beat(b, 'b');
    await silence('a', LOST_AFTER_MS);
    expect(await moveLost(b, second, 'a')).toEqual({ status: 'moved' });
    const [order] = (await beat(a, 'a')).kills;
    if (order === undefined) throw new Error('no order');
    await a.hosts.clearKillOrder('a', order);
    const { fencedUntil } = (await read(second.sessionId)) as { fencedUntil?: number };
    expect(fencedUntil).toBeGreaterThan(Date.now());
  });

  test('is fenced as long as its token is good also when the data was lost meanwhile, and published again', async () => {
    const call = await callOn(b, 'b');
    const found = await b.sessions.read(call.sessionId);
    if (found.status !== 'live') throw new Error(found.status);
    await redis.command('DEL', `session:${call.sessionId}`);
    await b.sessions.publishLaunch(call, 'b', found.session, undefined);
    await silence('b', LOST_AFTER_MS);
    expect(await moveLost(a, { ...call, generation: 2 })).toEqual({ status: 'moved' });
    const { fencedUntil } = (await read(call.sessionId)) as { fencedUntil?: number };
    expect(fencedUntil).toBeGreaterThan(Date.now() + 60_000);
  });

  test('stays fenced against the host that was lost last when an earlier one has cleared its order', async () => {
    await startedId();
    const uncommitted = await claimOn(b, 'b');
    await silence('b', 16_000);
    await beat(a, 'a');
    const call = await launchOn(a, 'a');
    await silence('b', 0);
    await beat(b, 'b', true);
    await silence('a', LOST_AFTER_MS);
    expect(await moveLost(b, call, 'a')).toEqual({ status: 'ended' });
    await b.hosts.clearKillOrder('b', uncommitted);
    expect(await schema.rooms.clearDoomed(call.roomName)).toBe('fenced');
    await a.hosts.clearKillOrder('a', call);
    expect(await schema.rooms.clearDoomed(call.roomName)).not.toBe('fenced');
  });

  test('that ends before the old host is back leaves its room fenced: the older agent could make it again', async () => {
    const call = await lostCall();
    await moveLost(a, call);
    const next = await launchOn(a, 'a');
    await schema.sessions.requestEnd({ sessionId: call.sessionId, reason: 'caller_ended', by: 'caller' });
    await a.sessions.finishEnd(next.sessionId, next.generation);
    expect(await schema.rooms.clearDoomed(call.roomName)).toBe('fenced');
    expect(await redis.command('ZSCORE', 'rooms:doomed', call.roomName)).not.toBeNull();
  });
});

describe('while the only other host is silent, and not lost itself,', () => {
  async function callWithoutHost() {
    const call = await callOn(b, 'b');
    await addHost('c', HOST_OPTIONS);
    await silence('c', LOST_AFTER_MS - 5000);
    await beat(a, 'a', true);
    return call;
  }

  test('a call of a lost host waits, and moves when that one is heard', async () => {
    const call = await callWithoutHost();
    await silence('b', LOST_AFTER_MS);
    expect(await moveLost(a, call)).toEqual({ status: 'waiting' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
    expect((await beat(b, 'b')).kills).toEqual([]);
    await silence('b', LOST_AFTER_MS);
    await beat(schema, 'c');
    expect(await moveLost(a, call)).toEqual({ status: 'moved' });
  });

  test('a call of a lost host waits no longer than until that one is lost too', async () => {
    const call = await callWithoutHost();
    await silence('b', LOST_AFTER_MS);
    await silence('c', LOST_AFTER_MS);
    expect(await moveLost(a, call)).toEqual({ status: 'ended' });
    expect(await read(call.sessionId)).toMatchObject({ ended: { endReason: 'host_lost' } });
  });

  test('an operator who says that a host is lost has its calls listed', async () => {
    const call = await callWithoutHost();
    await silence('b', 16_000);
    expect(await schema.fleet.declareLost('b')).toMatchObject({ status: 'ok', moved: 1, ended: 0 });
    expect(await pending()).toEqual([call.sessionId]);
  });

  test('an agent that crashed on a host that drains, or a call that it has left, ends nothing', async () => {
    const call = await callWithoutHost();
    await beat(b, 'b', true);
    const policy = { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 } as const;
    await expect(b.sessions.restart(call, policy)).rejects.toThrow('recovered');
    const leave = () => b.sessions.move(call, { host: 'b', cause: 'host_drained' });
    await expect(leave()).rejects.toThrow('recovered');
    await silence('c', LOST_AFTER_MS);
    expect(await b.sessions.restart(call, policy)).toEqual({ status: 'no_host' });
    expect(await leave()).toEqual({ status: 'ending' });
  });
});

test('a warm agent of a lost host is dropped, not moved', async () => {
  const warm = await warmOn(b, 'b');
  await silence('b', LOST_AFTER_MS);
  expect(await moveLost(a, warm)).toEqual({ status: 'dropped' });
  expect(await read(warm.sessionId)).toMatchObject({ ended: { endReason: 'host_lost' } });
  expect((await beat(b, 'b')).kills).toEqual([warm]);
  expect(await pending()).toEqual([]);
});

describe('a host that returns', () => {
  test('takes nothing of a session that moved until its order is carried out, and publishes nothing of it', async () => {
    const call = await callOn(b, 'b');
    await silence('b', LOST_AFTER_MS);
    await moveLost(a, call);
    await beat(b, 'b');
    const session = { ...(await read(call.sessionId)), id: call.sessionId } as Parameters<
      typeof b.sessions.publishLaunch
    >[2];
    expect(await b.sessions.publishLaunch(call, 'b', session, undefined)).toEqual({ status: 'superseded' });
    const other = { host: 'b', launch: 'next', hostCapacity: 60, includePool: true };
    expect(await b.sessions.claim(other)).toMatchObject({ status: 'none' });
    // The same claim again, whose answer was lost before.
    expect(await b.sessions.claim({ ...other, launch: call.launch })).toMatchObject({ status: 'none' });
    expect(await launchOn(a, 'a')).toMatchObject({ sessionId: call.sessionId });
  });

  test('is up again, with what is its own', async () => {
    const [lost, kept] = [await callOn(b, 'b'), await callOn(b, 'b')];
    await silence('b', LOST_AFTER_MS);
    await moveLost(a, lost);
    expect((await schema.fleet.list()).map(({ id, state, calls }) => [id, state, calls])).toEqual([
      ['a', 'up', 0],
      ['b', 'lost', 1],
    ]);
    await beat(b, 'b');
    expect((await schema.fleet.list())[1]).toMatchObject({ id: 'b', state: 'up', calls: 1, killsLeft: 1 });
    expect(await read(kept.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
  });
});

describe('an operator says that a host is lost', () => {
  test('all that it has is moved, dropped and placed again at once, whatever LiveKit shows', async () => {
    const call = await callOn(b, 'b');
    const sessionId = await startedId();
    await claimOn(b, 'b');
    const warm = await warmOn(b, 'b');
    await silence('b', 16_000);
    expect(await schema.fleet.declareLost('b')).toEqual({ status: 'ok', moved: 1, ended: 0, dropped: 1 });
    expect(await pending()).toEqual(expect.arrayContaining([call.sessionId, sessionId]));
    expect(await read(warm.sessionId)).toMatchObject({ ended: { endReason: 'host_lost', endedBy: 'admin' } });
    expect((await beat(b, 'b')).kills).toHaveLength(3);
    expect(await schema.fleet.declareLost('b')).toMatchObject({ status: 'host_reachable' });
  });

  test('also when Redis is full: it frees memory', async () => {
    const call = await callOn(b, 'b');
    await silence('b', 16_000);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      expect(await schema.fleet.declareLost('b')).toMatchObject({ status: 'ok', moved: 1 });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await pending()).toEqual([call.sessionId]);
  });

  test('of one that was heard just now it is refused, and of one that nobody knows', async () => {
    const call = await callOn(b, 'b');
    expect(await schema.fleet.declareLost('b')).toMatchObject({ status: 'host_reachable' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
    expect(await schema.fleet.declareLost('nobody')).toEqual({ status: 'not_found' });
  });
});

describe('a host that an operator drains', () => {
  test('hears of it with its heartbeat, takes no work from the same step on, and takes it again when that is undone', async () => {
    const call = await callOn(b, 'b');
    expect(await schema.fleet.drain('b', true)).toEqual({ status: 'ok', callsLeft: 1 });
    await startedId();
    const ask = { host: 'b', launch: 'x', hostCapacity: 60, includePool: true };
    expect(await b.sessions.claim(ask)).toMatchObject({ status: 'none' });
    const since = (await beat(b, 'b')).drainWantedSince;
    expect(since).toEqual(expect.any(Number));
    await schema.fleet.drain('b', true);
    expect((await beat(b, 'b')).drainWantedSince).toBe(since);
    expect((await schema.fleet.list())[1]).toMatchObject({
      state: 'draining',
      drainWantedSince: since,
      calls: 1,
    });
    expect(await b.sessions.claim(ask)).toMatchObject({ status: 'none' });
    await schema.fleet.drain('b', false);
    expect((await beat(b, 'b')).drainWantedSince).toBeUndefined();
    expect((await schema.fleet.list())[1]).toMatchObject({ state: 'up' });
    expect(await b.sessions.claim(ask)).toMatchObject({ status: 'claimed' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready', host: 'b' });
  });

  test('gives a call that is left to another, without an order: it has seen to its tree itself', async () => {
    const call = await callOn(b, 'b');
    await schema.fleet.drain('b', true);
    const leave = () => b.sessions.move(call, { host: 'b', cause: 'host_drained' });
    expect(await leave()).toEqual({ status: 'moved' });
    expect(await leave()).toEqual({ status: 'moved' });
    expect((await beat(b, 'b')).kills).toEqual([]);
    expect(await launchOn(a, 'a')).toMatchObject({ sessionId: call.sessionId, generation: 2 });
  });

  test('ends it as host_drained where there is no other', async () => {
    const call = await callOn(b, 'b');
    await beat(a, 'a', true);
    await schema.fleet.drain('b', true);
    expect(await b.sessions.move(call, { host: 'b', cause: 'host_drained' })).toEqual({ status: 'ending' });
    expect(await read(call.sessionId)).toMatchObject({ status: 'ending', endReason: 'host_drained' });
  });

  test.each([
    { when: 'Redis was away, and the others were not heard since', others: () => silence('a', 300_000) },
    {
      when: 'the data has begun another life, in which the others were not heard yet',
      others: async () => {
        await redis.command('SET', 'epoch', '1-aaaaaaaaaaaa');
        await redis.command('ZREM', 'hosts', 'a');
      },
    },
  ])('does not take others for gone while $when', async ({ others }) => {
    const call = await callOn(b, 'b');
    const sessionId = await startedId();
    await others();
    await silence('b', 300_000);
    const leave = () => b.sessions.move(call, { host: 'b', cause: 'host_drained' });
    await expect(leave()).rejects.toThrow('recovered');
    const policy = { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 } as const;
    await redis.command('HSET', 'host:b', 'draining', '1');
    await expect(b.sessions.restart(call, policy)).rejects.toThrow('recovered');
    expect(await b.hosts.endUnclaimed('b')).toEqual([]);
    expect(await read(call.sessionId)).toMatchObject({ status: 'ready' });
    expect(await read(sessionId)).toMatchObject({ status: 'starting' });
  });

  test('that nobody knows is not found', async () => {
    expect(await schema.fleet.drain('nobody', true)).toEqual({ status: 'not_found' });
  });
});

test('the last host that stops ends what nobody has claimed; one of two leaves it to the other', async () => {
  const sessionId = await startedId();
  await beat(b, 'b', true);
  expect(await b.hosts.endUnclaimed('b')).toEqual([]);
  expect(await pending()).toEqual([sessionId]);
  await beat(a, 'a', true);
  expect(await a.hosts.endUnclaimed('a')).toEqual([`greenroom-${sessionId}`]);
  expect(await read(sessionId)).toMatchObject({ ended: { endReason: 'host_drained' } });
});
