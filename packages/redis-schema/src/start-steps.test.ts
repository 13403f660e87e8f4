import { describe, expect, test } from '@jest/globals';
import { addWarmHost, planRefill, startArgs, warmUp } from './testing/sessions.js';
import { claimSession, HOST, heartbeat, look, PROCESS, redis, schema, useRedis } from './testing/steps.js';

useRedis();

async function keys(): Promise<string[]> {
  const all = (await redis.command('KEYS', '*')) as string[];
  return all.filter((key) => !key.includes('bull:')).sort();
}

describe('starting', () => {
  test('without any spawner a start is refused, and nothing is written', async () => {
    expect(await schema.sessions.start(startArgs())).toEqual({ status: 'no_host' });
    expect(await keys()).toEqual([]);
  });

  test('a silent host is no host', async () => {
    await addWarmHost();
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect(await schema.sessions.start(startArgs())).toEqual({ status: 'no_host' });
  });

  test('a host that only drains is no host for a start that needs a launch', async () => {
    await addWarmHost();
    await heartbeat(HOST, { draining: true });
    expect(await schema.sessions.start(startArgs())).toEqual({ status: 'no_host' });
  });

  test('an unknown profile is refused', async () => {
    await addWarmHost();
    expect(await schema.sessions.start(startArgs({ profile: 'nobody' }))).toEqual({
      status: 'unknown_profile',
    });
  });

  test('a cold start is listed for launch, counted as starting, and lives with a TTL', async () => {
    await addWarmHost();
    const args = startArgs({ userId: 'ann', userName: 'Ann' });
    const result = await schema.sessions.start(args);
    expect(result).toMatchObject({ status: 'created', session: { id: args.sessionId, status: 'starting' } });
    expect(await redis.command('SMEMBERS', 'session:starting')).toEqual([args.sessionId]);
    expect(await redis.command('ZRANGE', 'spawn:pending', 0, -1)).toEqual([args.sessionId]);
    expect(await redis.command('GET', 'session:user:ann')).toBe(args.sessionId);
    expect(Number(await redis.command('TTL', `session:${args.sessionId}`))).toBeGreaterThan(50);
    expect(await schema.health.read()).toMatchObject({ starting: 1, ready: 0, callers: 1, hosts: 1 });
  });

  test('the same new id delivered twice is one session', async () => {
    await addWarmHost();
    const args = startArgs();
    expect((await schema.sessions.start(args)).status).toBe('created');
    expect((await schema.sessions.start(args)).status).toBe('existing');
    expect((await schema.health.read()).callers).toBe(1);
  });

  test('a warm agent is given out once, and only to its own profile', async () => {
    await addWarmHost();
    const [warm] = await warmUp(1);
    const first = await schema.sessions.start(startArgs({ userName: 'Ann' }));
    expect(first).toMatchObject({
      status: 'assigned',
      session: { id: warm, status: 'ready', prewarmed: true, owner: 'caller', userName: 'Ann' },
    });
    expect((await schema.sessions.start(startArgs())).status).toBe('created');
    expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([]);
    expect(await redis.command('SMEMBERS', 'session:ready')).toEqual([warm]);
  });

  test('10 starts at once with 3 warm: 3 assigned, 7 created, no agent twice', async () => {
    await addWarmHost();
    await warmUp(3);
    const results = await Promise.all(Array.from({ length: 10 }, () => schema.sessions.start(startArgs())));
    const ids = results.map((result) => ('session' in result ? result.session.id : ''));
    expect(new Set(ids).size).toBe(10);
    expect(results.filter((result) => result.status === 'assigned')).toHaveLength(3);
    expect(results.filter((result) => result.status === 'created')).toHaveLength(7);
  });

  test('a warm agent of a draining or silent host is not given out', async () => {
    await addWarmHost();
    await addWarmHost('host-b');
    await warmUp(1);
    await heartbeat(HOST, { draining: true });
    expect((await schema.sessions.start(startArgs())).status).toBe('created');
    await heartbeat(HOST, { draining: false });
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect((await schema.sessions.start(startArgs())).status).toBe('created');
  });

  test('capacity counts callers, those still ending included', async () => {
    await addWarmHost();
    await warmUp(1);
    const first = await schema.sessions.start(startArgs({ maxSessions: 1 }));
    if (first.status !== 'assigned') throw new Error(first.status);
    expect(await schema.sessions.start(startArgs({ maxSessions: 1 }))).toMatchObject({
      status: 'at_capacity',
    });
    await schema.sessions.requestEnd({ sessionId: first.session.id, reason: 'caller_ended', by: 'caller' });
    expect((await schema.sessions.start(startArgs({ maxSessions: 1 }))).status).toBe('at_capacity');
    await schema.sessions.finishEnd(first.session.id, first.session.generation);
    expect((await schema.sessions.start(startArgs({ maxSessions: 1 }))).status).toBe('created');
  });

  test('20 starts at once of one trusted user are one session', async () => {
    await addWarmHost();
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        schema.sessions.start(startArgs({ userId: 'ann', userScope: 'k1', trusted: true })),
      ),
    );
    expect(new Set(results.map((r) => ('session' in r ? r.session.id : r.status))).size).toBe(1);
    expect((await schema.health.read()).callers).toBe(1);
  });

  test('an untrusted user is busy unless it knows the session, and scopes keep users apart', async () => {
    await addWarmHost();
    const mine = startArgs({ userId: 'ann' });
    await schema.sessions.start(mine);
    expect(await schema.sessions.start(startArgs({ userId: 'ann' }))).toEqual({ status: 'user_busy' });
    expect(
      await schema.sessions.start(startArgs({ userId: 'ann', claimedSessionId: mine.sessionId })),
    ).toMatchObject({ status: 'existing', session: { id: mine.sessionId } });
    expect(
      (await schema.sessions.start(startArgs({ userId: 'ann', userScope: 'k1', trusted: true }))).status,
    ).toBe('created');
  });

  test('an idempotency key gives the same session, refuses another body, and knows when it is over', async () => {
    await addWarmHost();
    const idempotency = { scope: 's', key: 'k', bodyHash: 'h1' };
    const first = startArgs({ idempotency });
    await schema.sessions.start(first);
    expect(await schema.sessions.start(startArgs({ idempotency }))).toMatchObject({
      status: 'existing',
      session: { id: first.sessionId },
    });
    expect(
      await schema.sessions.start(startArgs({ idempotency: { ...idempotency, bodyHash: 'h2' } })),
    ).toEqual({ status: 'idempotency_mismatch' });
    await schema.sessions.requestEnd({ sessionId: first.sessionId, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.start(startArgs({ idempotency }))).toEqual({ status: 'session_ended' });
  });
});

describe('pool', () => {
  test('refills that run at once never overshoot', async () => {
    await addWarmHost(HOST, 5);
    const plans = await Promise.all(Array.from({ length: 10 }, () => planRefill(5)));
    expect(plans.flat()).toHaveLength(5);
    expect(await schema.pools.read()).toMatchObject([
      { profile: 'default', target: 5, ready: 0, warming: 5 },
    ]);
  });

  test('callers are claimed before warm agents, and each launch once', async () => {
    await addWarmHost();
    const [warm] = await planRefill(1);
    const caller = startArgs();
    await schema.sessions.start(caller);
    const order = await Promise.all([look(), look(), look()]);
    expect(order.map((result) => (result.status === 'claimed' ? result.session.id : result.status))).toEqual([
      caller.sessionId,
      warm,
      'none',
    ]);
  });

  test('a full host claims nothing', async () => {
    await addWarmHost();
    await planRefill(2);
    await claimSession();
    expect((await look(HOST, { hostCapacity: 1 })).status).toBe('host_full');
  });

  test('on a full host the oldest idle warm agent makes room for a caller, one for each that waits', async () => {
    await addWarmHost();
    const [a, b] = await warmUp(2);
    expect((await look(HOST, { hostCapacity: 2 })).status).toBe('host_full');
    expect(await schema.health.read()).toMatchObject({ pool: 2 });
    // Accepted because of another host, which takes nothing.
    await heartbeat('host-b');
    await heartbeat(HOST, { draining: true });
    await schema.sessions.start(startArgs());
    await heartbeat(HOST, { draining: false });
    await heartbeat('host-b', { draining: true });
    for (let i = 0; i < 3; i += 1) expect((await look(HOST, { hostCapacity: 2 })).status).toBe('host_full');
    expect((await heartbeat()).ending).toEqual([a]);
    expect(await schema.sessions.read(b ?? '')).toMatchObject({ session: { status: 'pooled' } });
  });

  test('agents that die in the pool hold its refills off, longer each time, until one is given to a caller', async () => {
    await addWarmHost();
    const holdoffs: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await redis.command('DEL', 'pool:holdoff');
      const [warm] = await warmUp(1);
      const died = { sessionId: warm ?? '', reason: 'agent_crashed', by: 'agent' } as const;
      expect((await schema.sessions.requestEnd(died)).status).toBe('ending');
      holdoffs.push(Math.round(Number(await redis.command('PTTL', 'pool:holdoff')) / 1000));
      await schema.sessions.finishEnd(warm ?? '', 1);
    }
    expect(holdoffs).toEqual([1, 2, 4]);
    await redis.command('DEL', 'pool:holdoff');
    await warmUp(1);
    await schema.sessions.start(startArgs());
    expect(await redis.command('EXISTS', 'pool:failures')).toBe(0);
  });

  test('an admin who ends a warm agent that nobody has launched yet wakes the refill', async () => {
    await addWarmHost();
    const [warm] = await planRefill(1);
    const woken: unknown[] = [];
    await schema.bus.listen('spawners:wake', (message) => void woken.push(message));
    await schema.sessions.requestEnd({ sessionId: warm ?? '', reason: 'admin_ended', by: 'admin' });
    await schema.ping();
    expect(woken).toContainEqual({ kind: 'pool', profile: 'default' });
  });

  test('an agent that gets ready after the pool shrank is surplus and begins to end in the same step', async () => {
    await addWarmHost();
    await planRefill(1);
    const session = await claimSession();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    await schema.sessions.commitLaunch(ref, PROCESS);
    await schema.pools.resize('default', 0);
    expect(await schema.sessions.markReady(ref, 5)).toEqual({ status: 'surplus' });
    expect(await schema.sessions.read(session.id)).toMatchObject({
      session: { status: 'ending', endReason: 'pool_surplus' },
    });
  });

  test('shrinking ends the oldest idle warm agents and never a call', async () => {
    await addWarmHost();
    const [a, b, c] = await warmUp(3);
    const call = await schema.sessions.start(startArgs());
    expect(call).toMatchObject({ session: { id: a } });
    expect(await schema.pools.resize('default', 1)).toEqual({ status: 'ok', target: 1, previous: 3 });
    const states = await Promise.all([a, b, c].map((id) => schema.sessions.read(id ?? '')));
    expect(states.map((s) => (s.status === 'live' ? s.session.status : s.status))).toEqual([
      'ready',
      'ending',
      'pooled',
    ]);
  });

  test('a resize outlives a restart until the configured target itself changes', async () => {
    await addWarmHost(HOST, 3);
    await schema.pools.resize('default', 7);
    await addWarmHost(HOST, 3);
    expect((await schema.pools.read())[0]?.target).toBe(7);
    await addWarmHost(HOST, 4);
    expect((await schema.pools.read())[0]?.target).toBe(4);
  });

  test('retiring a warm agent that was just given away is refused', async () => {
    await addWarmHost();
    const [warm] = await warmUp(1);
    await schema.sessions.start(startArgs());
    const retire = await schema.sessions.requestEnd({
      sessionId: warm ?? '',
      reason: 'warm_agent_retired',
      by: 'spawner',
      expectStatus: 'pooled',
    });
    expect(retire.status).toBe('refused');
  });
});
