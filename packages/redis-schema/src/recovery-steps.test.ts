import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  type LaunchRef,
  type RedisSchema,
  type SessionRecord,
  openRedis,
  parseSession,
  RedisRecoveringError,
} from './index.js';
import { heartbeat, newId, redis, schema, start, useRedis } from './testing/steps.js';

const PROCESS = { pid: 4242, pgid: 4242, startTime: '777' };
const PROFILES = [{ name: 'default', voices: [], poolTarget: 0 }];
/** Nearly two heartbeats, as heartbeat.lua counts them. */
const RECOVERY_MS = 10_000;

useRedis(async () => {
  await register('host-a', false);
  await beat('host-a');
});

function register(host: string, hasLaunches: boolean) {
  return schema.hosts.register(host, PROFILES, { hasLaunches });
}

/** What it has published, it says with its heartbeat. */
function beat(host: string, published?: number) {
  return heartbeat(host, { published });
}

/** What a host has on disk of a call. */
function known(overrides: Partial<SessionRecord> = {}): { ref: LaunchRef; session: SessionRecord } {
  const id = overrides.id ?? newId();
  const session = parseSession({
    id,
    status: 'ready',
    owner: 'caller',
    mode: 'user',
    profile: 'default',
    prewarmed: '0',
    roomName: `greenroom-${id}`,
    createdAt: '1000',
    deadlineAt: String(Date.now() + 60_000),
    ttlMs: '60000',
    userId: 'ann',
    userKey: 'ann',
  });
  return {
    ref: { sessionId: id, generation: 1, launch: `launch-of-${id}` },
    session: { ...session, ...overrides },
  };
}

const publish = ({ ref, session }: ReturnType<typeof known>, host = 'host-a') =>
  schema.sessions.publishLaunch(ref, host, session, PROCESS);

/** As if the recovery had begun long ago. */
async function letTimePass(): Promise<number> {
  const startedAt = Number(await redis.command('HGET', 'recovery', 'startedAt')) - RECOVERY_MS;
  await redis.command('HSET', 'recovery', 'startedAt', startedAt);
  return startedAt;
}

describe('the epoch', () => {
  test('a host without launches, alone with an empty Redis, begins a new life at once', async () => {
    await redis.command('FLUSHALL');
    expect(await register('host-a', false)).toMatchObject({
      epoch: expect.any(String),
      recovery: undefined,
    });
  });

  test.each([
    ['it has launches', async () => register('host-a', true)],
    [
      'another host was heard',
      async () => {
        await beat('host-b');
        return register('host-a', false);
      },
    ],
  ])('it waits where %s', async (_, act) => {
    await redis.command('FLUSHALL');
    expect(await act()).toMatchObject({ epoch: undefined, recovery: expect.any(Number) });
  });

  test('the data of another server is another life', async () => {
    const epoch = String(await redis.command('GET', 'epoch'));
    await redis.command(
      'SET',
      'epoch',
      epoch.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    );
    expect((await beat('host-a')).epoch).toBeUndefined();
    await expect(start()).rejects.toThrow(RedisRecoveringError);
  });

  test('it is set when two heartbeats are over and every host that was heard has published', async () => {
    await redis.command('FLUSHALL');
    const { recovery } = await beat('host-a');
    await beat('host-b');
    expect((await beat('host-a', recovery)).epoch).toBeUndefined();
    const number = await letTimePass();
    expect((await beat('host-a', number)).epoch).toBeUndefined();
    const { epoch } = await beat('host-b', number);
    expect(epoch).toMatch(new RegExp(`^${number}-[0-9a-f]{12}$`));
    expect(await beat('host-a')).toMatchObject({ epoch, recovery: undefined });
  });

  test('a host that has published for an earlier recovery has not for this one', async () => {
    await redis.command('FLUSHALL');
    const { recovery = 0 } = await beat('host-a');
    const number = await letTimePass();
    expect(number).not.toBe(recovery);
    expect((await beat('host-a', recovery)).epoch).toBeUndefined();
  });
});

describe('while data is being recovered', () => {
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    await beat('host-a');
  });

  test('what is not there is unknown, for whoever asks', async () => {
    const { ref } = known();
    const asked = [
      () => start(),
      () => schema.sessions.read(ref.sessionId),
      () => schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' }),
      () => schema.sessions.markReady(ref, 1),
      () => schema.sessions.renew(ref, 1000, {}),
      () => schema.sessions.finishEnd(ref.sessionId, 1),
      () => schema.pools.resize('default', 3),
    ];
    for (const ask of asked) await expect(ask()).rejects.toThrow(RedisRecoveringError);
  });

  test('nothing is claimed, refilled or swept', async () => {
    await redis.command('ZADD', 'spawn:pending', 1, newId());
    expect(
      await schema.sessions.claim({ host: 'host-a', launch: 'l', hostCapacity: 9, includePool: true }),
    ).toMatchObject({ status: 'none' });
    expect(await schema.sessions.sweepIndexes()).toEqual({ repaired: 0, overdue: [], epoch: undefined });
    expect(await redis.command('ZCARD', 'spawn:pending')).toBe(1);
    expect((await schema.health.read()).recovering).toBe(true);
  });

  test('without any spawner there is nobody to wait for', async () => {
    await redis.command('FLUSHALL');
    expect(await start()).toEqual({ status: 'no_host' });
  });
});

describe('a host that missed a recovery', () => {
  /** Another host's connection, in the life of the data before this one. */
  async function withLateHost(work: (late: RedisSchema, ref: LaunchRef) => Promise<void>): Promise<void> {
    const late = openRedis({ url: redis.url, clientName: 'late' });
    try {
      await late.connected(2000);
      const { epoch } = await late.hosts.register('host-b', PROFILES, { hasLaunches: true });
      late.enterLife(epoch);
      const { ref } = known();
      await redis.command('DEL', 'epoch');
      await beat('host-a');
      const number = await letTimePass();
      await beat('host-a', number);
      expect(await redis.command('EXISTS', 'epoch')).toBe(1);
      await work(late, ref);
    } finally {
      await late.close();
    }
  }

  test('takes nothing for gone that it has not published yet, and claims nothing', () =>
    withLateHost(async (late, ref) => {
      const policy = { cause: 'agent_crashed', maxRestarts: 3, periodMs: 1000 } as const;
      await expect(late.sessions.read(ref.sessionId)).rejects.toThrow(RedisRecoveringError);
      await expect(late.sessions.markReady(ref, 1)).rejects.toThrow(RedisRecoveringError);
      await expect(late.sessions.restart(ref, policy)).rejects.toThrow(RedisRecoveringError);
      // Not even where older data has another launch.
      await publish({ ...known(), ref: { ...ref, launch: 'another' } });
      await expect(late.sessions.restart(ref, policy)).rejects.toThrow(RedisRecoveringError);
      await start();
      expect(
        await late.sessions.claim({ host: 'host-b', launch: 'l', hostCapacity: 9, includePool: true }),
      ).toMatchObject({ status: 'none' });
      expect(await schema.sessions.restart(ref, policy)).toMatchObject({ status: 'superseded' });
    }));

  test('a host that has published in a recovery knows what is over, while others must wait', async () => {
    const call = known();
    await redis.command('FLUSHALL');
    const { recovery = 0 } = await beat('host-a');
    schema.enterLife(recovery);
    await publish(call);
    await schema.sessions.requestEnd({ sessionId: call.ref.sessionId, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.read(call.ref.sessionId)).toMatchObject({
      session: { status: 'ending' },
    });
    expect(await schema.sessions.finishEnd(call.ref.sessionId, 1)).toEqual({ status: 'gone' });
    expect(await schema.sessions.renew(known().ref, 1000, {})).toMatchObject({ status: 'superseded' });
    schema.enterLife(recovery - 1);
    await expect(schema.sessions.renew(known().ref, 1000, {})).rejects.toThrow(RedisRecoveringError);
  });

  test('hands out none of its warm agents before', () =>
    withLateHost(async (late) => {
      const id = newId('prewarm');
      const warm = { status: 'pooled', owner: 'pool', profile: 'default', prewarmed: '1', host: 'host-b' };
      const fields = { ...warm, roomName: 'r', createdAt: '1', deadlineAt: String(Date.now() + 60_000) };
      await redis.command('HSET', `session:${id}`, ...Object.entries({ ...fields, generation: '1' }).flat());
      await redis.command('SADD', 'pool:ready', id);
      const beat = () =>
        late.hosts.heartbeat('host-b', {
          capacity: 60,
          concurrency: 4,
          version: 'test',
          startedAt: 0,
          running: 1,
          draining: false,
        });
      const { epoch } = await beat();
      expect(await start()).toMatchObject({ status: 'created' });
      late.enterLife(epoch);
      await beat();
      expect(await start()).toMatchObject({ status: 'assigned', session: { id } });
    }));

  test('one that has published in the recovery itself is not among them, though it names that one until its next heartbeat', () =>
    withLateHost(async (late) => {
      const life = Number.parseInt(String(await redis.command('GET', 'epoch')), 10);
      const hasPublished = async (recovery: number) => {
        late.enterLife(recovery);
        const fields = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 1 };
        await late.hosts.heartbeat('host-b', { ...fields, draining: false });
        const id = newId('prewarm');
        const warm = { status: 'pooled', owner: 'pool', profile: 'default', prewarmed: '1', host: 'host-b' };
        const times = {
          createdAt: '1',
          deadlineAt: String(Date.now() + 60_000),
          generation: '1',
          roomName: 'r',
        };
        await redis.command('HSET', `session:${id}`, ...Object.entries({ ...warm, ...times }).flat());
        await redis.command('SADD', 'pool:ready', id);
        return (await start()).status === 'assigned';
      };
      expect(await hasPublished(life - 1)).toBe(false);
      expect(await hasPublished(life)).toBe(true);
    }));
});

test('a spawner that starts does not begin a new life where others are connected', async () => {
  await redis.command('FLUSHALL');
  const leave = await schema.bus.listen('spawners:wake', () => undefined);
  expect((await register('host-b', false)).epoch).toBeUndefined();
  await leave();
});

test('an end whose answer was lost, and then the data, is an end', async () => {
  const call = known();
  await publish(call);
  await schema.sessions.requestEnd({ sessionId: call.ref.sessionId, reason: 'caller_ended', by: 'caller' });
  await schema.sessions.finishEnd(call.ref.sessionId, 1);
  await redis.command('DEL', 'epoch');
  expect(await schema.sessions.finishEnd(call.ref.sessionId, 1)).toEqual({ status: 'not_found' });
});

test('an end that names another launch than the session’s is refused', async () => {
  const call = known();
  await publish(call);
  const end = { sessionId: call.ref.sessionId, reason: 'host_drained', by: 'spawner' } as const;
  expect(await schema.sessions.requestEnd({ ...end, expectLaunch: 'another' })).toMatchObject({
    status: 'refused',
  });
  expect(await schema.sessions.requestEnd({ ...end, expectLaunch: call.ref.launch })).toMatchObject({
    status: 'ending',
  });
});

test('a machine that was not heard for a week is forgotten; one with sessions or orders is not', async () => {
  const eightDaysAgo = Date.now() - 8 * 24 * 60 * 60 * 1000;
  for (const host of ['gone', 'has-a-session', 'has-an-order']) {
    await redis.command('ZADD', 'hosts', eightDaysAgo, host);
    await redis.command('HSET', `host:${host}`, 'capacity', '1');
  }
  await publish(known(), 'has-a-session');
  await redis.command('HSET', 'host:has-an-order:kill', 'a-launch', '{}');
  await schema.sessions.sweepIndexes();
  expect(await redis.command('ZRANGE', 'hosts', 0, -1)).toEqual(['has-a-session', 'has-an-order', 'host-a']);
  expect(await redis.command('EXISTS', 'host:gone')).toBe(0);
});

describe('publishing a launch', () => {
  test('brings a lost call back: its hash, its place, its user, and every step of its launch', async () => {
    const call = known();
    await redis.command('FLUSHALL');
    await beat('host-a');
    expect(await publish(call)).toMatchObject({
      status: 'ok',
      session: { status: 'ready', generation: 2, publishedGeneration: 1, agentPid: 4242 },
    });
    expect(await redis.command('GET', `agent:${call.ref.sessionId}:pid`)).toBe('4242');
    expect(await schema.hosts.sessionsOf('host-a')).toEqual([call.ref.sessionId]);
    expect(await schema.sessions.renew(call.ref, 60_000, {})).toMatchObject({ status: 'ok' });
    const number = await letTimePass();
    await beat('host-a', number);
    await register('host-a', true);
    expect(await start({ userId: 'ann' })).toMatchObject({
      status: 'existing',
      session: { id: call.ref.sessionId },
    });
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
    expect((await schema.health.read()).callers).toBe(1);
  });

  test('again, because the answer was lost, is the same', async () => {
    const call = known();
    await redis.command('FLUSHALL');
    await beat('host-a');
    await publish(call);
    await publish(call);
    expect((await schema.health.read()).callers).toBe(1);
    expect(await schema.sessions.markReady(call.ref, 1)).toEqual({ status: 'ready' });
  });

  test('of two launches of one session the later one stays, whichever came first', async () => {
    const older = known();
    const newer = { ...older, ref: { ...older.ref, generation: 2, launch: 'newer' } };
    await publish(older);
    expect(await publish(newer, 'host-b')).toMatchObject({ status: 'ok', session: { launch: 'newer' } });
    expect(await publish(older)).toEqual({ status: 'superseded' });
    expect(await schema.hosts.sessionsOf('host-a')).toEqual([]);
    expect(await schema.sessions.renew(older.ref, 60_000, {})).toMatchObject({ status: 'superseded' });
  });

  test('a session that is over stays over', async () => {
    const call = known();
    await publish(call);
    await schema.sessions.requestEnd({
      sessionId: call.ref.sessionId,
      reason: 'caller_ended',
      by: 'caller',
    });
    expect(await publish(call)).toMatchObject({ status: 'ok', session: { status: 'ending' } });
    await schema.sessions.finishEnd(call.ref.sessionId, 1);
    expect(await publish(call)).toEqual({ status: 'gone' });
  });

  test('a caller is never taken back: whoever of the two knows of one is right', async () => {
    const id = newId('prewarm');
    const warm = known({
      id,
      status: 'pooled',
      owner: 'pool',
      prewarmed: true,
      userId: undefined,
      userKey: undefined,
    });
    const given = known({ id, status: 'ready', owner: 'caller', prewarmed: true });
    await publish(warm);
    expect(await publish(given)).toMatchObject({
      status: 'ok',
      session: { status: 'ready', owner: 'caller', userId: 'ann' },
    });
    expect(await publish(warm)).toMatchObject({
      status: 'ok',
      session: { status: 'ready', owner: 'caller' },
    });
  });
});

describe('quarantine', () => {
  async function publishWarm() {
    const warm = known({
      id: newId('prewarm'),
      status: 'pooled',
      owner: 'pool',
      prewarmed: true,
      userId: undefined,
      userKey: undefined,
    });
    await schema.pools.resize('default', 1);
    await publish(warm);
    return warm;
  }

  test('a warm agent that was published is neither given out nor counted', async () => {
    await publishWarm();
    expect((await schema.health.read()).pool).toBe(0);
    expect(await start()).toMatchObject({ status: 'created' });
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 0 });
  });

  test('it is the caller’s in whose room it is', async () => {
    const { ref } = await publishWarm();
    const answer = await schema.sessions.resolveQuarantine(ref, { userId: 'ben', voiceId: 'awb' }, 60_000);
    expect(answer).toMatchObject({
      status: 'ready',
      session: { owner: 'caller', userId: 'ben', voiceId: 'awb' },
    });
    expect(await schema.sessions.resolveQuarantine(ref, undefined, 60_000)).toMatchObject({
      status: 'ready',
    });
    expect(await schema.health.read()).toMatchObject({ ready: 1, callers: 1 });
  });

  test('without one it ends, and says why', async () => {
    const { ref } = await publishWarm();
    expect(await schema.sessions.resolveQuarantine(ref, undefined, 60_000)).toEqual({ status: 'ending' });
    await schema.sessions.finishEnd(ref.sessionId, 1);
    expect(await schema.sessions.read(ref.sessionId)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'state_lost' },
    });
  });
});
