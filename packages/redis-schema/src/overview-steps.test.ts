import { describe, expect, test } from '@jest/globals';
import { addHost, launch, line, startId } from './testing/line.js';
import { heartbeat, redis, schema, useRedis } from './testing/steps.js';

useRedis(() => addHost('a'));

/** What admins were told of one kind so far. */
async function told(kind: string): Promise<Record<string, unknown>[]> {
  const all = (await redis.command('XRANGE', 'events', '-', '+')) as [string, string[]][];
  return all.filter(([, fields]) => fields[1] === kind).map(([, fields]) => JSON.parse(fields[3] ?? ''));
}

async function snapshot() {
  const page = await schema.events.readAll(undefined, { limit: 10, maxSessions: 10 });
  if (page.status !== 'snapshot') throw new Error(page.status);
  return page;
}

describe('what an agent uses', () => {
  const renew = (ref: Parameters<typeof schema.sessions.renew>[0], cpu: string, rss = '1000') =>
    schema.sessions.renew(ref, 60_000, { status: 'alive', rss, cpu });
  /** As if the last look at it had been so long ago. */
  async function lookedAgo(sessionId: string, ms: number): Promise<void> {
    const key = `agent:${sessionId}:health`;
    await redis.command('HINCRBY', key, 'last_check', -ms);
  }

  test('is told with each health check, as percent of one core since the one before', async () => {
    await startId();
    const { ref } = await launch('a');
    await redis.command('HINCRBY', `session:${ref.sessionId}`, 'claimedAt', -10_000);
    await renew(ref, '5.00');
    await lookedAgo(ref.sessionId, 20_000);
    await renew(ref, '35.00', '2000');
    const [first, second] = await told('load');
    expect(first).toMatchObject({
      sessionId: ref.sessionId,
      host: 'a',
      profile: 'default',
      memoryBytes: 1000,
    });
    expect(Math.round(Number(first?.cpuPercent))).toBe(50);
    expect(Math.round(Number(second?.cpuPercent))).toBe(150);
    const expected = { cpuPercent: second?.cpuPercent, memoryBytes: 2000, at: expect.any(Number) };
    expect((await snapshot()).sessions).toMatchObject([{ load: expected }]);
    expect((await schema.sessions.list({}, { limit: 9 })).sessions).toMatchObject([{ load: expected }]);
  });

  test('stays when a look is taken again, falls to nothing with a helper that leaves, and begins anew with a launch', async () => {
    await startId();
    const { ref } = await launch('a');
    await redis.command('HINCRBY', `session:${ref.sessionId}`, 'claimedAt', -10_000);
    await renew(ref, '5.00');
    await renew(ref, '5.00');
    await lookedAgo(ref.sessionId, 10_000);
    await renew(ref, '2.00');
    const percents = (await told('load')).map(({ cpuPercent }) => Math.round(Number(cpuPercent)));
    expect(percents).toEqual([50, 50, 0]);
    await schema.sessions.restart(ref, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    expect((await snapshot()).sessions[0]?.load).toBeUndefined();
    expect(await renew(ref, '9.00')).toMatchObject({ status: 'superseded' });
    expect(await told('load')).toHaveLength(3);
  });

  test('is not what an agent uses that is gone', async () => {
    await startId();
    const { ref } = await launch('a');
    await schema.sessions.renew(ref, 60_000, { status: 'gone', rss: '0', cpu: '0.00' });
    expect(await told('load')).toEqual([]);
  });
});

test('a host is told with its heartbeat when its counts or its load have changed, and else not', async () => {
  const load = { cpuPercent: 12, loadAverage: 0.5, cores: 2 };
  await heartbeat('a', { load });
  await startId();
  await launch('a');
  await heartbeat('a', { load });
  await heartbeat('a', { load: { ...load, cpuPercent: 13 } });
  await heartbeat('a', { load: { ...load, cpuPercent: 40, loadAverage: 1.5 } });
  expect((await told('host')).slice(1)).toMatchObject([
    { host: 'a', state: 'up', calls: 0, cpuPercent: 12, loadAverage: 0.5, cores: 2, capacity: 60 },
    { host: 'a', state: 'up', calls: 1, warm: 0, starting: 0 },
    { host: 'a', cpuPercent: 40, loadAverage: 1.5 },
  ]);
  expect(await schema.fleet.list()).toMatchObject([{ load: { cpuPercent: 40, loadAverage: 1.5, cores: 2 } }]);
});

test('a host of an older version says nothing of its load', async () => {
  expect((await schema.fleet.list())[0]?.load).toBeUndefined();
});

async function startMany(count: number): Promise<string[]> {
  const started: string[] = [];
  for (let i = 0; i < count; i += 1) started.push(await startId({ client: `client-${i}`, queueMax: count }));
  return started;
}

describe('the waiting line', () => {
  const ids = async () => (await told('line')).at(-1) as { waiting: number; line: { sessionId: string }[] };

  test('is told whenever somebody comes or goes, once for each step, and shown as it is', async () => {
    await startId();
    await startId();
    expect(await told('line')).toEqual([]);
    const first = await startId({ userId: 'ann' });
    const second = await startId({ client: 'two' });
    expect(await told('line')).toHaveLength(2);
    expect(await ids()).toMatchObject({
      waiting: 2,
      line: [{ sessionId: first, position: 1, profile: 'default', userId: 'ann' }, { sessionId: second }],
    });
    expect((await snapshot()).line).toMatchObject([{ sessionId: first }, { sessionId: second, position: 2 }]);
    expect(await schema.sessions.readLine(1)).toMatchObject({ waiting: 2, line: [{ sessionId: first }] });
    await schema.sessions.requestEnd({ sessionId: first, reason: 'caller_ended', by: 'caller' });
    expect(await ids()).toMatchObject({ waiting: 1, line: [{ sessionId: second, position: 1 }] });
    expect(await line()).toEqual([second]);
  });

  test('that is long is told four times a second at most, and what was left out with the next look', async () => {
    await startId();
    await startId();
    const waiting = await startMany(25);
    // A time long ago in place of a pause; a time to come would be another server's.
    await redis.command('HSET', 'line:state', 'toldAt', '1');
    const before = (await told('line')).length;
    const leave = (id: string) =>
      schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    await Promise.all(waiting.slice(0, 3).map(leave));
    expect(await told('line')).toHaveLength(before + 1);
    expect(await ids()).toMatchObject({ waiting: 24 });

    await redis.command('HSET', 'line:state', 'toldAt', '1');
    await schema.sessions.admit({ maxSessions: 2 });
    expect(await told('line')).toHaveLength(before + 2);
    expect(await ids()).toMatchObject({ waiting: 22 });
    await schema.sessions.admit({ maxSessions: 2 });
    expect(await told('line')).toHaveLength(before + 2);

    // A short one is told each time.
    for (const id of waiting.slice(3, 6)) await leave(id);
    expect(await ids()).toMatchObject({ waiting: 19 });
  });

  test('says that nobody can be served, when that comes and when it goes', async () => {
    await startId();
    await startId();
    await startId();
    await heartbeat('a', { draining: true });
    await schema.sessions.admit({ maxSessions: 2 });
    expect(await ids()).toMatchObject({ line: [{ blockedBy: 'no_host' }] });
    await heartbeat('a');
    expect((await ids()).line[0]).not.toHaveProperty('blockedBy');
  });
});

test('an alarm is told once, shown, and told to be over when nothing of the session is left', async () => {
  await startId();
  const { ref } = await launch('a');
  await schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' });
  expect((await snapshot()).alarms).toEqual([]);
  await schema.sessions.raiseAlarm(ref.sessionId, ref.generation, 'kill_failed');
  await schema.sessions.raiseAlarm(ref.sessionId, ref.generation, 'kill_failed');
  const alarm = { sessionId: ref.sessionId, alarm: 'kill_failed', host: 'a', profile: 'default' };
  expect(await told('alarm')).toEqual([{ ...alarm, isOver: false }]);
  expect((await snapshot()).alarms).toEqual([{ ...alarm, at: expect.any(Number) }]);
  await schema.sessions.finishEnd(ref.sessionId, ref.generation);
  expect((await told('alarm')).at(-1)).toEqual({ ...alarm, isOver: true });
  expect((await snapshot()).alarms).toEqual([]);
});
