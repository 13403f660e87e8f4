import { describe, expect, test } from '@jest/globals';
import {
  addHost,
  clockMs,
  end,
  eventsOf,
  fill,
  launch,
  line,
  listWarm,
  MAX_SESSIONS,
  silence,
  start,
  startId,
  statusOf,
  warmUp,
} from './testing/line.js';
import { heartbeat, liveSession, redis, schema, useRedis } from './testing/steps.js';

useRedis();

describe('beyond MAX_SESSIONS', () => {
  test('a caller waits in line with a position and a wait, without a launch, and is not counted as a caller', async () => {
    await addHost();
    await fill();
    const first = await start({ userId: 'ann' });
    expect(first).toMatchObject({ status: 'queued', position: 1 });
    expect(first).toHaveProperty('estimatedWaitMs', expect.any(Number));
    expect(await start()).toMatchObject({ status: 'queued', position: 2 });
    expect(await schema.health.read()).toMatchObject({ callers: MAX_SESSIONS, queued: 2, starting: 0 });
    expect(await redis.command('ZCARD', 'spawn:pending')).toBe(0);
    const { sessions } = await schema.sessions.list({ status: 'queued' }, { limit: 10 });
    expect(sessions.map((session) => Number(session.position)).sort((a, b) => a - b)).toEqual([1, 2]);
  });

  test('without a line, as before: at capacity', async () => {
    await addHost();
    await fill();
    expect(await start({ queueMax: 0 })).toMatchObject({ status: 'at_capacity' });
    expect(await start({ queueMax: undefined })).toMatchObject({ status: 'at_capacity' });
  });

  test('QUEUE_MAX wait, and the next is told when to try again', async () => {
    await addHost();
    await fill();
    await start({ queueMax: 1 });
    const answer = await start({ queueMax: 1 });
    expect(answer).toMatchObject({ status: 'at_capacity', retryAfterMs: expect.any(Number) });
    expect(await line()).toHaveLength(1);
  });

  test('the same user has one place, and so has the same idempotency key', async () => {
    await addHost();
    await fill();
    const id = await startId({ userId: 'ann' });
    const key = { idempotency: { scope: 'one', key: 'k', bodyHash: 'h' } };
    const other = await startId(key);
    expect(await start({ userId: 'ann' })).toMatchObject({ status: 'queued', position: 1, session: { id } });
    expect(await start(key)).toMatchObject({ status: 'queued', position: 2, session: { id: other } });
    expect(await line()).toEqual([id, other]);
    expect(await start({ userId: 'ann', trusted: false })).toEqual({ status: 'user_busy' });
  });

  test('20 starts at once: as many as there are places, each of the others has a position of its own', async () => {
    await addHost();
    const answers = await Promise.all(Array.from({ length: 20 }, () => start()));
    expect(answers.filter((answer) => answer.status === 'created')).toHaveLength(MAX_SESSIONS);
    const positions = answers.flatMap((answer) => (answer.status === 'queued' ? [answer.position] : []));
    expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
  });
});

describe('the turn', () => {
  test('comes in order, with the end that made room, and everybody else hears of the new position', async () => {
    await addHost();
    const [call] = await fill();
    const waiting = [await startId(), await startId(), await startId()];
    await end(call);
    expect(await Promise.all(waiting.map(statusOf))).toEqual(['starting', 'queued', 'queued']);
    expect(await redis.command('ZRANGE', 'spawn:pending', 0, -1)).toEqual([waiting[0]]);
    expect(await schema.health.read()).toMatchObject({ callers: MAX_SESSIONS, queued: 2 });
    const told = await eventsOf(waiting[2] ?? '', 'queued');
    expect(told.map((event) => event.position)).toEqual([3, 2]);
    expect(told.every((event) => Number(event.estimatedWaitMs) >= 0)).toBe(true);
    const session = await liveSession(waiting[0]);
    expect(session.deadlineAt - (session.assignedAt ?? 0)).toBe(600_000);
    expect(session.queuedAt).toBeGreaterThan(0);
  });

  test('nobody who comes new goes past those in line', async () => {
    await addHost();
    const [call] = await fill();
    const first = await startId();
    // An end that was finished by a spawner of the version before: it knows of no line.
    await schema.sessions.requestEnd({ sessionId: call ?? '', reason: 'caller_ended', by: 'caller' });
    await redis.command('DEL', `session:${call}`);
    await redis.command('SREM', 'sessions:callers', call ?? '');
    const second = await start();
    expect(await statusOf(first)).toBe('starting');
    expect(second).toMatchObject({ status: 'queued', position: 1 });
  });

  test('brings a warm agent where there is one: the first id leads to it', async () => {
    await addHost();
    const [call] = await fill();
    const key = { idempotency: { scope: 'one', key: 'k', bodyHash: 'h' } };
    const id = await startId({ userId: 'ann', userName: 'Ann', voiceId: 'v', ...key });
    const warm = await warmUp();
    expect(await statusOf(id)).toBe('queued');
    await end(call);
    expect(await liveSession(id)).toMatchObject({
      id: warm,
      queuedAs: id,
      status: 'ready',
      owner: 'caller',
      userName: 'Ann',
      voiceId: 'v',
    });
    expect(await redis.command('GET', 'session:user:ann')).toBe(warm);
    expect(await start({ userId: 'ann' })).toMatchObject({ status: 'existing', session: { id: warm } });
    expect(await start(key)).toMatchObject({ status: 'existing', session: { id: warm } });
    const claimed = { userId: 'ann', trusted: false, claimedSessionId: id };
    expect(await start(claimed)).toMatchObject({ status: 'existing', session: { id: warm } });
    expect(await schema.sessions.askInLine(id)).toMatchObject({ status: 'live', session: { id: warm } });
    expect(await eventsOf(id, 'became')).toEqual([{ sessionId: warm }]);
    expect(await redis.command('EXISTS', `session:${id}`)).toBe(0);
    const ids = (await schema.sessions.list({}, { limit: 10 })).sessions.map((session) => session.id);
    expect(ids).not.toContain(id);
    // Until its end is forgotten.
    const asked = await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect(asked).toMatchObject({ status: 'ending', session: { id: warm } });
    await schema.sessions.finishEnd(warm, 1);
    expect(await schema.sessions.read(id)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'caller_ended' },
    });
    expect(
      await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' }),
    ).toMatchObject({ status: 'ended' });
    expect(Number(await redis.command('TTL', `becomes:${id}`))).toBeGreaterThan(3500);
  });

  test('passes over callers of a profile whose agents fail to start, until one gets ready', async () => {
    await addHost('host-a', { profiles: ['default', 'sales'] });
    const calls = await fill();
    const failing = await startId();
    const other = await startId({ profile: 'sales' });
    const openUntil = async (ms: number) =>
      redis.command(
        'HSET',
        'breaker:default',
        'openUntil',
        (await clockMs()) + ms,
        'openMs',
        10_000,
        'turn',
        'warm',
      );
    await openUntil(60_000);
    await end(calls[0]);
    expect([await statusOf(failing), await statusOf(other)]).toEqual(['queued', 'starting']);
    await launch();
    await end(calls[1]);
    expect(await statusOf(failing)).toBe('queued');
    await openUntil(-1000);
    const [probe] = await listWarm();
    await launch();
    expect(await liveSession(failing)).toMatchObject({ id: probe, status: 'ready' });
  });

  test('comes to whoever waits when MAX_SESSIONS is raised, with the next look of an api', async () => {
    await addHost();
    await fill();
    const id = await startId();
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    expect(await statusOf(id)).toBe('queued');
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS + 1 });
    expect(await statusOf(id)).toBe('starting');
  });

  test('of different MAX_SESSIONS the word of the api that was started last holds, as long as it says so', async () => {
    await addHost();
    const said = (maxSessions: number, since?: number) => schema.sessions.admit({ maxSessions, since });
    await said(5, 2_000);
    expect(await said(9, 1_000)).toMatchObject({ maxSessions: 5 });
    expect(await said(9)).toMatchObject({ maxSessions: 5 });
    expect(await said(4, 3_000)).toMatchObject({ maxSessions: 4 });
    expect(await said(5, 2_000)).toMatchObject({ maxSessions: 4 });
    // A start asks for no more than that either.
    for (let calls = 0; calls < 4; calls += 1) await startId({ maxSessions: 9 });
    expect(await start({ maxSessions: 9 })).toMatchObject({ status: 'queued' });
    expect(await start({ maxSessions: 9, since: 2_000 })).toMatchObject({ status: 'queued' });
    expect(await start({ maxSessions: 9, since: 4_000 })).toMatchObject({ status: 'created' });
    expect(await said(4, 3_000)).toMatchObject({ maxSessions: 9 });
    await redis.command('HSET', 'line:state', 'maxSaidAt', (await clockMs()) - 16_000);
    expect(await said(5, 2_000)).toMatchObject({ maxSessions: 5 });
    // Said by a clock that was ahead of this server's: nobody knows how long ago.
    await said(9, 4_000);
    await redis.command('HSET', 'line:state', 'maxSaidAt', (await clockMs()) + 60_000);
    expect(await said(5, 2_000)).toMatchObject({ maxSessions: 5 });
  });

  test('how long those waited whose turn has come is kept', async () => {
    await addHost();
    const [call] = await fill();
    const id = await startId();
    await startId();
    await redis.command('HSET', `session:${id}`, 'queuedAt', (await clockMs()) - 60_000);
    expect(await schema.sessions.admit()).toMatchObject({ queued: 2, served: 0, waitedMs: 0, abandoned: 0 });
    await end(call);
    const { waitedMs, expectedTurnMs, ...counts } = await schema.sessions.admit();
    expect(counts).toMatchObject({ queued: 1, served: 1 });
    expect(waitedMs).toBeGreaterThanOrEqual(60_000);
    expect(waitedMs).toBeLessThan(65_000);
    expect(expectedTurnMs).toBeGreaterThan(0);
  });

  test('is not given while the data is being recovered', async () => {
    await addHost();
    const [call] = await fill();
    const id = await startId();
    await redis.command('DEL', `session:${call}`);
    await redis.command('SREM', 'sessions:callers', call ?? '');
    const epoch = (await redis.command('GET', 'epoch')) as string;
    await redis.command('DEL', 'epoch');
    await schema.sessions.admit();
    expect(await line()).toEqual([id]);
    await redis.command('SET', 'epoch', epoch);
    await schema.sessions.admit();
    expect(await line()).toEqual([]);
  });

  test('the same id leads to the agent after a loss of data too', async () => {
    await addHost();
    const [call] = await fill();
    const id = await startId();
    await listWarm();
    const { ref } = await launch();
    await end(call);
    const session = await liveSession(id);
    await redis.command('FLUSHALL');
    await schema.sessions.publishLaunch(ref, 'host-a', session, undefined);
    expect(await redis.command('GET', `becomes:${id}`)).toBe(ref.sessionId);
  });

  test('is not given a second time where the data has forgotten the first', async () => {
    await addHost();
    const [call] = await fill();
    const id = await startId({ userId: 'ann' });
    await listWarm();
    const { ref } = await launch();
    const [hash, order] = [
      (await redis.command('HGETALL', `session:${id}`)) as string[],
      await redis.command('ZSCORE', 'line', id),
    ];
    await end(call);
    const session = await liveSession(id);
    // The last second before Redis died was not on its disk.
    await redis.command('DEL', `becomes:${id}`, `session:${ref.sessionId}`);
    await redis.command('HSET', `session:${id}`, ...hash);
    await redis.command('ZADD', 'line', String(order), id);
    await redis.command('ZADD', 'sessions:index', '1', id);
    await redis.command('SET', 'session:user:ann', id);
    await schema.sessions.publishLaunch(ref, 'host-a', session, undefined);
    expect(await line()).toEqual([]);
    expect(await liveSession(id)).toMatchObject({ id: ref.sessionId, status: 'ready' });
    expect(await redis.command('GET', 'session:user:ann')).toBe(ref.sessionId);
    expect((await schema.sessions.list({}, { limit: 10 })).sessions.map((it) => it.id)).not.toContain(id);
  });
});

describe('who leaves the line', () => {
  test('who ends it: at once, without a spawner, and those behind move up', async () => {
    await addHost();
    await fill();
    const id = await startId({ userId: 'ann' });
    const behind = await startId();
    expect(await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' })).toEqual(
      {
        status: 'gone',
      },
    );
    expect(await schema.sessions.read(id)).toMatchObject({ ended: { endReason: 'caller_ended' } });
    expect(await redis.command('EXISTS', 'session:user:ann')).toBe(0);
    expect(await schema.sessions.askInLine(behind)).toMatchObject({ position: 1 });
    // It never had a room.
    expect(await redis.command('ZCARD', 'rooms:doomed')).toBe(0);
  });

  test('who has not asked for 30 s, when it would be its turn; asking keeps the place', async () => {
    await addHost();
    const [call] = await fill();
    const gone = await startId();
    const stays = await startId();
    await silence(gone, 31_000);
    await silence(stays, 31_000);
    expect(await schema.sessions.askInLine(stays)).toMatchObject({ status: 'queued', position: 1 });
    expect(await schema.sessions.read(gone)).toMatchObject({ ended: { endReason: 'line_abandoned' } });
    await end(call);
    expect(await statusOf(stays)).toBe('starting');
  });

  test('the heartbeat of a host finds it too', async () => {
    await addHost();
    await fill();
    const gone = await startId();
    const stays = await startId();
    await silence(gone, 31_000);
    await silence(stays, 29_000);
    await heartbeat();
    expect(await line()).toEqual([stays]);
  });

  test('starting again is asking', async () => {
    await addHost();
    await fill();
    const id = await startId({ userId: 'ann' });
    await silence(id, 31_000);
    expect(await start({ userId: 'ann' })).toMatchObject({ status: 'queued', session: { id } });
    await heartbeat();
    expect(await line()).toEqual([id]);
  });

  test('nobody, while no api could be asked; from its return on it counts anew', async () => {
    await addHost();
    await fill();
    const id = await startId();
    await silence(id, 60_000);
    await redis.command('HSET', 'line:state', 'askableAt', (await clockMs()) - 7_000);
    await heartbeat();
    expect(await line()).toEqual([id]);
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    await heartbeat();
    expect(await line()).toEqual([id]);
    await silence(id, 31_000);
    await heartbeat();
    expect(await line()).toEqual([]);
  });

  test('nobody, when an api had to refuse those who asked; it counts anew from its word', async () => {
    await addHost();
    await fill();
    const id = await startId();
    await silence(id, 29_900);
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS, unheard: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await heartbeat();
    expect(await line()).toEqual([id]);
    await silence(id, 31_000);
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    expect(await line()).toEqual([]);
  });

  test('nobody, while the data is being recovered: starting again is not heard then', async () => {
    await addHost();
    await fill();
    const id = await startId({ userId: 'ann' });
    await silence(id, 60_000);
    const life = await redis.command('GET', 'epoch');
    await redis.command('DEL', 'epoch');
    await expect(start({ userId: 'ann' })).rejects.toThrow('recovered');
    await schema.sessions.admit({ maxSessions: MAX_SESSIONS });
    // The recovery is over.
    await redis.command('SET', 'epoch', String(life));
    await heartbeat();
    expect(await line()).toEqual([id]);
  });
});

describe('fairness', () => {
  test('clients are served in turn, whoever came with many', async () => {
    await addHost();
    await fill();
    const many = [];
    for (let count = 0; count < 3; count += 1) many.push(await startId({ client: 'many' }));
    const few = await startId({ client: 'few' });
    const [m1, m2, m3] = many;
    expect(await line()).toEqual([m1, few, m2, m3]);
    expect(await schema.sessions.askInLine(m2 ?? '')).toMatchObject({ position: 3 });
    const third = await startId({ client: 'third' });
    expect(await line()).toEqual([m1, few, third, m2, m3]);
  });

  test('who was just served does not stand before those who were not', async () => {
    await addHost();
    const [call] = await fill();
    const a1 = await startId({ client: 'a' });
    const b1 = await startId({ client: 'b' });
    await end(call);
    expect(await statusOf(a1)).toBe('starting');
    const a2 = await startId({ client: 'a' });
    expect(await line()).toEqual([b1, a2]);
  });

  test('a client has no more sessions than one may have, those in line included', async () => {
    await addHost();
    await fill();
    const limit = { client: 'busy', maxPerClient: 2 };
    const [id] = [await startId(limit), await startId(limit)];
    expect(await start(limit)).toMatchObject({ status: 'client_limit' });
    expect((await start({ client: 'other', maxPerClient: 2 })).status).toBe('queued');
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect((await start(limit)).status).toBe('queued');
  });
});

test('the sweep repairs the line', async () => {
  await addHost();
  await fill();
  const first = await startId();
  const second = await startId();
  await redis.command('ZREM', 'line', first);
  await redis.command('ZADD', 'line', 1, 'session_that_never_was_at_all');
  expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 2 });
  expect(await line()).toEqual([first, second]);
  expect(await schema.sessions.askInLine(second)).toMatchObject({ position: 2 });
});

test('the sweep frees what no session holds also when Redis is full', async () => {
  await addHost();
  await redis.command('SADD', 'session:ready', 'session_that_never_was_at_all');
  await redis.command('RPUSH', 'agent:session_that_never_was_at_all:logs', 'x');
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  try {
    expect(await schema.sessions.sweepIndexes()).toMatchObject({ repaired: 1 });
  } finally {
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  }
  expect(await redis.command('EXISTS', 'session:ready', 'agent:session_that_never_was_at_all:logs')).toBe(0);
});
