import { describe, expect, test } from '@jest/globals';
import type { LaunchRef } from './index.js';
import { addHost, claim, HOST, redis, refill, schema, start, useRedis } from './testing/steps.js';

useRedis(() => addHost());

function fail(ref: LaunchRef, overrides: { isAgentsFault?: boolean; maxAttempts?: number } = {}) {
  return schema.sessions.failLaunch(ref, {
    error: 'It exited.',
    lastLines: [],
    maxAttempts: 1,
    backoffMs: 0,
    holdoffBaseMs: 60_000,
    holdoffMaxMs: 60_000,
    isAgentsFault: true,
    ...overrides,
  });
}

async function failStarts(count: number, overrides: Parameters<typeof fail>[1] = {}) {
  const answers = [];
  for (let i = 0; i < count; i += 1) {
    expect((await start()).status).toBe('created');
    answers.push(await fail(await claim(), overrides));
  }
  return answers;
}

/** The time for which it is open is over. */
async function letItPass(): Promise<void> {
  const openUntil = Number(await redis.command('HGET', 'breaker:default', 'openUntil'));
  const openMs = Number(await redis.command('HGET', 'breaker:default', 'openMs'));
  await redis.command('HSET', 'breaker:default', 'openUntil', String(openUntil - openMs - 10));
}

async function breaker() {
  return (await schema.pools.read())[0]?.breaker;
}

describe('the breaker of a profile', () => {
  test('opens at the fifth launch in a row that failed, and starts fail fast with the reason', async () => {
    const answers = await failStarts(5);
    expect(answers.map((it) => 'breakerOpened' in it)).toEqual([false, false, false, false, true]);
    expect(await start()).toMatchObject({ status: 'profile_failing', reason: 'It exited.' });
    expect(await breaker()).toMatchObject({ status: 'open', failures: 5, reason: 'It exited.' });
    expect(await schema.health.read()).toMatchObject({ failingProfiles: ['default'], callers: 0 });
    const refused = await start();
    expect(refused.status === 'profile_failing' && refused.retryAfterMs).toBeGreaterThan(9000);
    expect(refused.status === 'profile_failing' && refused.retryAfterMs).toBeLessThanOrEqual(10_000);
  });

  test('does not open when one in between gets ready, nor for failures that are not the agent’s', async () => {
    await failStarts(4);
    await start();
    await schema.sessions.markReady(await claim(), 100);
    await failStarts(4);
    await failStarts(5, { isAgentsFault: false });
    expect(await breaker()).toBeUndefined();
    expect((await start()).status).toBe('created');
  });

  test('does not open for warm agents alone: callers’ starts may do well', async () => {
    await addHost(HOST, { poolTarget: 1 });
    for (let i = 0; i < 7; i += 1) {
      await refill();
      await fail(await claim());
      await redis.command('DEL', 'pool:holdoff');
    }
    expect(await breaker()).toBeUndefined();
    expect((await start()).status).toBe('created');
    expect(await fail(await claim())).toMatchObject({ breakerOpened: true });
  });

  test('open, it keeps from nobody what is there: a warm agent, a session of their own, attempts under way', async () => {
    const mine = await start({ userId: 'ann' });
    const launch = await claim();
    const process = { pid: 4242, pgid: 4242, startTime: '1', roomSid: undefined, logFile: '/x' };
    await schema.sessions.commitLaunch(launch, process);
    await addHost(HOST, { poolTarget: 1 });
    await refill();
    await schema.sessions.markReady(await claim(), 100);
    for (let i = 0; i < 5; i += 1) {
      await redis.command('ZADD', 'hosts', '1', HOST);
      await addHost('host-b');
      await start();
      await fail(await claim('host-b'));
    }
    expect(await breaker()).toMatchObject({ status: 'open' });
    await addHost(HOST, { poolTarget: 1 });
    expect(await start({ userId: 'ann' })).toMatchObject({
      status: 'existing',
      session: 'session' in mine && { id: mine.session.id },
    });
    expect(await fail(launch, { maxAttempts: 3 })).toMatchObject({ status: 'retry' });
    expect((await start()).status).toBe('assigned');
    expect((await start()).status).toBe('profile_failing');
  });

  test('one warm probe goes when its time is over, with pool target 0 too, and exactly one', async () => {
    await failStarts(5);
    expect(await refill()).toMatchObject({ created: [] });
    expect((await refill()).heldOffMs).toBeGreaterThan(9000);
    await letItPass();
    const plans = await Promise.all([refill(), refill(), refill()]);
    expect(plans.flatMap(({ created }) => created)).toHaveLength(1);
    expect(await breaker()).toMatchObject({ status: 'probing' });
    expect((await start()).status).toBe('profile_failing');
    expect(await schema.sessions.markReady(await claim(), 100)).toEqual({ status: 'surplus' });
    expect(await breaker()).toBeUndefined();
    expect((await start()).status).toBe('created');
  });

  test('a probe that fails opens it for twice as long, at most 5 minutes; then it is a caller’s turn', async () => {
    await failStarts(5);
    await letItPass();
    await refill();
    const answer = await fail(await claim(), { maxAttempts: 3 });
    expect(answer).toMatchObject({ status: 'dropped', breakerOpened: true });
    expect(await redis.command('HGET', 'breaker:default', 'openMs')).toBe('20000');
    expect((await start()).status).toBe('profile_failing');
    await letItPass();
    const [first, second] = [await start(), await start()];
    expect([first.status, second.status]).toEqual(['created', 'profile_failing']);
    expect((await refill()).created).toEqual([]);
    await redis.command('HSET', 'breaker:default', 'openMs', '299000');
    await fail(await claim());
    expect(await redis.command('HGET', 'breaker:default', 'openMs')).toBe('300000');
  });

  test('a probe that is lost with its host, or ended, is followed by another', async () => {
    await addHost('host-b');
    await failStarts(5);
    await letItPass();
    const [lost = ''] = (await refill()).created;
    await claim('host-b');
    expect((await refill()).created).toEqual([]);
    await redis.command('ZADD', 'hosts', '1', 'host-b');
    const [ended = ''] = (await refill()).created;
    expect(ended).not.toBe(lost);
    await schema.sessions.requestEnd({ sessionId: ended, reason: 'admin_ended', by: 'admin' });
    expect((await refill()).created).toHaveLength(1);
  });
});

test('admins are told with the pool that its agents fail to start, that one is tried, and that they do again', async () => {
  const told = async () => {
    const all = (await redis.command('XRANGE', 'events', '-', '+')) as [string, string[]][];
    const pools = all.filter(([, fields]) => fields[1] === 'pool');
    return JSON.parse(pools.at(-1)?.[1][3] ?? '');
  };
  await failStarts(5);
  expect(await told()).toMatchObject({
    starts: 5,
    breaker: { status: 'open', failures: 5, reason: 'It exited.' },
  });
  await letItPass();
  await refill();
  expect(await told()).toMatchObject({ breaker: { status: 'probing' } });
  await fail(await claim());
  expect(await told()).toMatchObject({ breaker: { status: 'open', failures: 6 } });
  await letItPass();
  await start();
  expect(await told()).toMatchObject({ breaker: { status: 'probing' } });
  await schema.sessions.markReady(await claim(), 100);
  expect(await told()).toMatchObject({ profile: 'default' });
  expect(await told()).not.toHaveProperty('breaker');
});
