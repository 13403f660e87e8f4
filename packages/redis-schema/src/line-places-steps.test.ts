import { describe, expect, test } from '@jest/globals';
import {
  addHost,
  clockMs,
  end,
  eventsOf,
  fill,
  launch,
  line,
  MAX_SESSIONS,
  start,
  startId,
  statusOf,
  warmUp,
} from './testing/line.js';
import { heartbeat, redis, schema, useRedis } from './testing/steps.js';

useRedis();

describe('places on hosts', () => {
  test('a caller for whom no host has a place waits in line, though there may be more callers', async () => {
    await addHost('host-a', { capacity: 1 });
    const call = await startId({ maxSessions: 5 });
    // Not launched yet, but the place is spoken for.
    const id = await startId({ maxSessions: 5 });
    expect(await statusOf(id)).toBe('queued');
    await launch('host-a', 1);
    await end(call);
    expect(await statusOf(id)).toBe('starting');
  });

  test('a host that comes has places', async () => {
    await addHost('host-a', { capacity: 1 });
    await startId({ maxSessions: 5 });
    const id = await startId({ maxSessions: 5 });
    await addHost('host-b', { capacity: 1 });
    expect(await statusOf(id)).toBe('starting');
  });

  test('without a line it is listed and waits for the host, as before', async () => {
    await addHost('host-a', { capacity: 1 });
    await startId();
    expect(await start({ queueMax: 0 })).toMatchObject({ status: 'created' });
  });

  test('an idle warm agent of another profile makes room at once, one for each caller', async () => {
    await addHost('host-a', { capacity: 2, profiles: ['default', 'sales'] });
    const older = await warmUp('sales');
    const newer = await warmUp('sales');
    const id = await startId();
    expect(await statusOf(id)).toBe('starting');
    expect([await statusOf(older), await statusOf(newer)]).toEqual(['ending', 'pooled']);
    // The looks of the host while the agent goes end no other.
    await expect(launch('host-a', 2)).rejects.toThrow('host_full');
    expect(await statusOf(newer)).toBe('pooled');
    await schema.sessions.finishEnd(older, 1);
    expect((await launch('host-a', 2)).ref.sessionId).toBe(id);
  });

  test('with several full hosts one agent goes, not one on each', async () => {
    await addHost('host-a', { capacity: 1, profiles: ['default', 'sales'] });
    await addHost('host-b', { capacity: 1, profiles: ['default', 'sales'] });
    const warm = [await warmUp('sales', 'host-a'), await warmUp('sales', 'host-b')];
    await startId({ maxSessions: 5 });
    await expect(launch('host-a', 1)).rejects.toThrow('host_full');
    await expect(launch('host-b', 1)).rejects.toThrow('host_full');
    expect((await Promise.all(warm.map(statusOf))).sort()).toEqual(['ending', 'pooled']);
  });

  test('room is made where the profile runs', async () => {
    await addHost('host-a', { capacity: 1, profiles: ['sales'] });
    await warmUp('sales', 'host-a');
    await addHost('host-b', { capacity: 1, profiles: ['default'] });
    const call = await startId({ maxSessions: 5 });
    await launch('host-b', 1);
    const id = await startId({ maxSessions: 5 });
    expect(await statusOf(id)).toBe('queued');
    expect(await schema.health.read()).toMatchObject({ pool: 1 });
    await end(call);
    expect(await statusOf(id)).toBe('starting');
  });

  test('an agent in quarantine, which may be a caller’s, makes no room', async () => {
    await addHost('host-a', { capacity: 1 });
    const warm = await warmUp();
    await redis.command('HSET', `session:${warm}`, 'quarantined', '1');
    await redis.command('SREM', 'pool:ready', warm);
    const id = await startId();
    expect([await statusOf(id), await statusOf(warm)]).toEqual(['queued', 'pooled']);
  });

  test('no host at all: no place in line either, and those who stand there wait', async () => {
    await addHost();
    await fill();
    const id = await startId();
    await redis.command('ZADD', 'hosts', '1', 'host-a');
    expect(await start()).toEqual({ status: 'no_host' });
    expect(await line()).toEqual([id]);
  });
});

describe('what keeps everybody of a profile from being served', () => {
  test('that no host runs it any more: who waits is told so once, and when a host is back', async () => {
    await addHost('host-a', { profiles: ['default', 'sales'] });
    await fill();
    const id = await startId();
    const other = await startId({ profile: 'sales' });
    expect(await schema.sessions.askInLine(id)).toMatchObject({ position: 1, blockedBy: undefined });
    await schema.hosts.register('host-a', [{ name: 'sales', voices: [], poolTarget: 0 }]);
    for (let look = 0; look < 3; look += 1) await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    expect(await schema.sessions.askInLine(id)).toMatchObject({ position: 1, blockedBy: 'no_host' });
    expect(await eventsOf(id, 'queued')).toMatchObject([
      { position: 1 },
      { position: 1, blockedBy: 'no_host' },
    ]);
    await addHost('host-b');
    expect(await schema.sessions.askInLine(id)).toMatchObject({ position: 1, blockedBy: undefined });
    expect((await eventsOf(id, 'queued')).map(({ blockedBy }) => blockedBy)).toEqual([
      undefined,
      'no_host',
      undefined,
    ]);
    expect(await eventsOf(other, 'queued')).toHaveLength(1);
  });

  test('that the last host is drained, or its agents fail to start', async () => {
    await addHost();
    await fill();
    const id = await startId();
    await heartbeat('host-a', { draining: true });
    expect(await schema.sessions.askInLine(id)).toMatchObject({ blockedBy: 'no_host' });
    await heartbeat();
    await redis.command('HSET', 'breaker:default', 'openUntil', (await clockMs()) + 60_000, 'openMs', 10_000);
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    expect((await eventsOf(id, 'queued')).at(-1)).toMatchObject({ blockedBy: 'profile_failing' });
    expect(await line()).toEqual([id]);
  });
});

describe('the wait that is told', () => {
  test('follows the lengths of the last calls and the ages of those that go on', async () => {
    await addHost();
    const calls = await fill();
    for (let count = 0; count < 5; count += 1) await redis.command('LPUSH', 'line:lengths', 60_000);
    await redis.command('HSET', 'pool:stats', 'startup_ms:default', 2000);
    const now = await clockMs();
    await redis.command('HSET', `session:${calls[0]}`, 'assignedAt', now - 40_000);
    await redis.command('HSET', `session:${calls[1]}`, 'assignedAt', now - 10_000);
    const waits: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const answer = await start();
      waits.push(answer.status === 'queued' ? answer.estimatedWaitMs : Number.NaN);
    }
    // The calls have 20 s and 50 s left; who follows them takes a minute each.
    [22_000, 52_000, 82_000, 112_000].forEach((expected, i) => {
      expect(Math.abs((waits[i] ?? 0) - expected)).toBeLessThan(6000);
    });
  });

  test('is not taken from the short calls alone, which are the first to end', async () => {
    await addHost();
    const calls = await fill();
    await redis.command('LPUSH', 'line:lengths', 5000);
    await redis.command('HSET', 'pool:stats', 'startup_ms:default', 0);
    const now = await clockMs();
    for (const id of calls) await redis.command('HSET', `session:${id}`, 'assignedAt', now - 60_000);
    const answer = await start();
    // They are beyond all that was measured; it is taken that they last half as long again.
    expect(answer.status === 'queued' && answer.estimatedWaitMs).toBeGreaterThan(20_000);
  });

  test('the length of a call is measured at its end', async () => {
    await addHost();
    const [call] = await fill();
    await redis.command('HSET', `session:${call}`, 'assignedAt', (await clockMs()) - 40_000);
    await end(call);
    const [length] = (await redis.command('LRANGE', 'line:lengths', 0, -1)) as string[];
    expect(Math.abs(Number(length) - 40_000)).toBeLessThan(5000);
  });
});
