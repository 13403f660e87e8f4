import { describe, expect, test } from '@jest/globals';
import { addHost, claim, heartbeat, redis, refill, schema, startedId, useRedis } from './testing/steps.js';

const JOIN_GRACE_MS = 20_000;
const LOST_AFTER_MS = 30_000;

useRedis(async () => {
  await addHost('rare', { profiles: ['rare'], poolTarget: 1 });
  await addHost('other');
  // Redis was never away, as far as anybody knows, and this life of its data is an old one.
  await redis.command('SET', 'hosts:awake', 1);
  const epoch = String(await redis.command('GET', 'epoch'));
  await redis.command('SET', 'epoch', epoch.replace(/^\d+/, '1'));
});

/** The host that is there, which runs another profile. */
function beat(over: { joinGraceMs?: number } = {}) {
  return heartbeat('other', { lostAfterMs: LOST_AFTER_MS, joinGraceMs: JOIN_GRACE_MS, ...over });
}

function startRare(): Promise<string> {
  return startedId({ profile: 'rare', userId: 'ann', maxSessions: 1 });
}

/** As if a launch had been listed that long ago. */
async function age(sessionId: string, ms: number): Promise<void> {
  await redis.command('ZINCRBY', 'spawn:pending', -ms, sessionId);
}

/** The only host of the profile leaves in order; that was noticed, and was so long ago. */
async function withoutHost(ms: number): Promise<void> {
  await schema.hosts.remove('rare', { hasCalls: false });
  await beat();
  await redis.command('HINCRBY', 'profiles:unserved', 'rare', -ms);
}

async function statusOf(sessionId: string): Promise<string> {
  const found = await schema.sessions.read(sessionId);
  if (found.status === 'ended') return `${found.ended.endReason} by ${found.ended.endedBy}`;
  return found.status === 'live' ? found.session.status : found.status;
}

describe('a start that no host can take', () => {
  test('ends as no_host after JOIN_GRACE: its user and its place are free, its room goes', async () => {
    const sessionId = await startRare();
    await age(sessionId, JOIN_GRACE_MS + 1000);
    await withoutHost(JOIN_GRACE_MS + 1000);
    const { doomed } = await beat();
    expect(await statusOf(sessionId)).toBe('no_host by spawner');
    expect(doomed).toEqual([`greenroom-${sessionId}`]);
    expect(await redis.command('EXISTS', 'spawn:pending', 'session:user:ann', 'sessions:callers')).toBe(0);
    await addHost('rare', { profiles: ['rare'] });
    expect(await startRare()).not.toBe(sessionId);
  });

  test('waits while the host is missing, or it is listed, for less than that', async () => {
    const sessionId = await startRare();
    await age(sessionId, JOIN_GRACE_MS + 1000);
    await withoutHost(JOIN_GRACE_MS - 5000);
    await beat();
    expect(await statusOf(sessionId)).toBe('starting');
    await age(sessionId, -10_000);
    await redis.command('HINCRBY', 'profiles:unserved', 'rare', -10_000);
    await beat();
    expect(await statusOf(sessionId)).toBe('starting');
  });

  test('is launched by a host that comes in time, and has all of its time again when that one goes', async () => {
    const sessionId = await startRare();
    await age(sessionId, JOIN_GRACE_MS + 1000);
    await withoutHost(JOIN_GRACE_MS - 5000);
    await addHost('rare', { profiles: ['rare'] });
    await withoutHost(6000);
    await beat();
    expect(await statusOf(sessionId)).toBe('starting');
    await addHost('rare', { profiles: ['rare'] });
    expect(await claim('rare')).toMatchObject({ sessionId });
  });

  test('waits for ever where there is no limit, or the host is of an older version', async () => {
    const sessionId = await startRare();
    await age(sessionId, 10 * JOIN_GRACE_MS);
    await withoutHost(10 * JOIN_GRACE_MS);
    for (const joinGraceMs of [0, undefined]) {
      await heartbeat('other', { lostAfterMs: LOST_AFTER_MS, joinGraceMs });
      expect(await statusOf(sessionId)).toBe('starting');
    }
  });

  test.each([
    {
      what: 'its host is silent, and not lost',
      meanwhile: async () => {
        await addHost('rare', { profiles: ['rare'] });
        await heartbeat('rare', { lostAfterMs: LOST_AFTER_MS });
        await redis.command('ZADD', 'hosts', Date.now() - LOST_AFTER_MS + 5000, 'rare');
        await redis.command('HSET', 'profiles:unserved', 'rare', 1);
      },
    },
    {
      what: 'Redis was away until just now',
      meanwhile: () => redis.command('SET', 'hosts:awake', Date.now()),
    },
    {
      what: 'the data has just begun another life',
      meanwhile: async () => {
        const epoch = String(await redis.command('GET', 'epoch'));
        await redis.command('SET', 'epoch', epoch.replace(/^\d+/, String(Date.now())));
      },
    },
    {
      what: 'the data is being recovered',
      meanwhile: () => redis.command('SET', 'epoch', '1-aaaaaaaaaaaa'),
    },
  ])('is not ended while $what', async ({ meanwhile }) => {
    const sessionId = await startRare();
    await age(sessionId, 10 * JOIN_GRACE_MS);
    await withoutHost(0);
    await redis.command('HSET', 'profiles:unserved', 'rare', 1);
    await meanwhile();
    await beat();
    expect(await statusOf(sessionId)).toBe('starting');
  });

  test('frees its place when Redis is full, too', async () => {
    const sessionId = await startRare();
    await age(sessionId, JOIN_GRACE_MS + 1000);
    await withoutHost(JOIN_GRACE_MS + 1000);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await beat();
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await statusOf(sessionId)).toBe('no_host by spawner');
  });
});

test('a call whose agent was lost ends as no_host when no host can launch another in time', async () => {
  const sessionId = await startRare();
  const ref = await claim('rare');
  await schema.sessions.markReady(ref, 100);
  await addHost('second', { profiles: ['rare'] });
  const policy = { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 } as const;
  expect(await schema.sessions.restart(ref, policy)).toEqual({ status: 'restarting' });
  await schema.hosts.remove('second', { hasCalls: false });
  await age(sessionId, JOIN_GRACE_MS + 1000);
  await withoutHost(JOIN_GRACE_MS + 1000);
  await beat();
  expect(await statusOf(sessionId)).toBe('no_host by spawner');
});

test('a launch that waits for a full host, and a warm agent, are not ended for want of a host', async () => {
  const sessionId = await startRare();
  const [warm = ''] = (await refill(1, 'rare')).created;
  await age(sessionId, 10 * JOIN_GRACE_MS);
  await heartbeat('rare', { capacity: 0 });
  await beat();
  expect(await statusOf(sessionId)).toBe('starting');
  await withoutHost(10 * JOIN_GRACE_MS);
  await beat();
  expect(await statusOf(warm)).toBe('starting');
});
