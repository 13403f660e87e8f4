import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LEGAL_TRANSITIONS, SESSION_STATES } from '@greenroom/contracts';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { openRedis, type RedisSchema } from './index.js';
import type { StartArguments } from './types.js';

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
});
afterEach(() => schema.close());

function newId(kind: 'session' | 'prewarm' = 'session'): string {
  serial += 1;
  return `${kind}_${String(serial).padStart(24, '0')}`;
}

function startArgs(overrides: Partial<StartArguments> = {}): StartArguments {
  const sessionId = newId();
  return {
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
    ...overrides,
  };
}

async function addHost(host = HOST, poolTarget = 3): Promise<void> {
  await schema.hosts.register(host, [{ name: 'default', voices: [], poolTarget }]);
  await heartbeat(host);
}

function heartbeat(host = HOST, draining = false) {
  return schema.hosts.heartbeat(host, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining,
  });
}

async function planRefill(candidates: number): Promise<string[]> {
  const ids = Array.from({ length: candidates }, () => newId('prewarm'));
  const plan = await schema.pools.planRefill({
    profile: 'default',
    ids,
    rooms: ids.map((id) => `greenroom-${id}`),
    warmMaxAgeMs: 60_000,
    sessionTimeoutMs: 60_000,
  });
  return plan.created;
}

async function claim(host = HOST, hostCapacity = 60) {
  serial += 1;
  return schema.sessions.claim({ host, launch: `launch${serial}`, hostCapacity, includePool: true });
}

async function claimed(host = HOST) {
  const result = await claim(host);
  if (result.status !== 'claimed') throw new Error(`not claimed: ${result.status}`);
  return result.session;
}

const FACTS = { pid: 4242, pgid: 4242, startTime: '777', roomSid: 'RM_x', logFile: '/tmp/x.log' };

async function launchNext(host = HOST) {
  const session = await claimed(host);
  const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
  expect(await schema.sessions.commitLaunch(ref, FACTS)).toEqual({ status: 'ok' });
  const ready = await schema.sessions.markReady(ref, 1000);
  return { session, ref, ready };
}

async function warmUp(count: number): Promise<string[]> {
  await planRefill(count);
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push((await launchNext()).session.id);
  return ids;
}

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
    await addHost();
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect(await schema.sessions.start(startArgs())).toEqual({ status: 'no_host' });
  });

  test('a host that only drains is no host for a start that needs a launch', async () => {
    await addHost();
    await heartbeat(HOST, true);
    expect(await schema.sessions.start(startArgs())).toEqual({ status: 'no_host' });
  });

  test('an unknown profile is refused', async () => {
    await addHost();
    expect(await schema.sessions.start(startArgs({ profile: 'nobody' }))).toEqual({
      status: 'unknown_profile',
    });
  });

  test('a cold start is listed for launch, counted as starting, and lives with a TTL', async () => {
    await addHost();
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
    await addHost();
    const args = startArgs();
    expect((await schema.sessions.start(args)).status).toBe('created');
    expect((await schema.sessions.start(args)).status).toBe('existing');
    expect((await schema.health.read()).callers).toBe(1);
  });

  test('a warm agent is given out once, and only to its own profile', async () => {
    await addHost();
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
    await addHost();
    await warmUp(3);
    const results = await Promise.all(Array.from({ length: 10 }, () => schema.sessions.start(startArgs())));
    const ids = results.map((result) => ('session' in result ? result.session.id : ''));
    expect(new Set(ids).size).toBe(10);
    expect(results.filter((result) => result.status === 'assigned')).toHaveLength(3);
    expect(results.filter((result) => result.status === 'created')).toHaveLength(7);
  });

  test('a warm agent of a draining or silent host is not given out', async () => {
    await addHost();
    await addHost('host-b');
    await warmUp(1);
    await heartbeat(HOST, true);
    expect((await schema.sessions.start(startArgs())).status).toBe('created');
    await heartbeat(HOST, false);
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect((await schema.sessions.start(startArgs())).status).toBe('created');
  });

  test('capacity counts callers, those still ending included', async () => {
    await addHost();
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
    await addHost();
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        schema.sessions.start(startArgs({ userId: 'ann', userScope: 'k1', trusted: true })),
      ),
    );
    expect(new Set(results.map((r) => ('session' in r ? r.session.id : r.status))).size).toBe(1);
    expect((await schema.health.read()).callers).toBe(1);
  });

  test('an untrusted user is busy unless it knows the session, and scopes keep users apart', async () => {
    await addHost();
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
    await addHost();
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
    await addHost(HOST, 5);
    const plans = await Promise.all(Array.from({ length: 10 }, () => planRefill(5)));
    expect(plans.flat()).toHaveLength(5);
    expect(await schema.pools.read()).toMatchObject([
      { profile: 'default', target: 5, ready: 0, warming: 5 },
    ]);
  });

  test('callers are claimed before warm agents, and each launch once', async () => {
    await addHost();
    const [warm] = await planRefill(1);
    const caller = startArgs();
    await schema.sessions.start(caller);
    const order = await Promise.all([claim(), claim(), claim()]);
    expect(order.map((result) => (result.status === 'claimed' ? result.session.id : result.status))).toEqual([
      caller.sessionId,
      warm,
      'none',
    ]);
  });

  test('a full host claims nothing', async () => {
    await addHost();
    await planRefill(2);
    await claimed();
    expect((await claim(HOST, 1)).status).toBe('host_full');
  });

  test('on a full host the oldest idle warm agent makes room for a caller, one for each that waits', async () => {
    await addHost();
    const [a, b] = await warmUp(2);
    expect((await claim(HOST, 2)).status).toBe('host_full');
    expect(await schema.health.read()).toMatchObject({ pool: 2 });
    // Accepted because of another host, which takes nothing.
    await heartbeat('host-b');
    await heartbeat(HOST, true);
    await schema.sessions.start(startArgs());
    await heartbeat(HOST, false);
    await heartbeat('host-b', true);
    for (let i = 0; i < 3; i += 1) expect((await claim(HOST, 2)).status).toBe('host_full');
    expect((await heartbeat()).ending).toEqual([a]);
    expect(await schema.sessions.read(b ?? '')).toMatchObject({ session: { status: 'pooled' } });
  });

  test('agents that die in the pool hold its refills off, longer each time, until one is given to a caller', async () => {
    await addHost();
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
    await addHost();
    const [warm] = await planRefill(1);
    const woken: unknown[] = [];
    await schema.bus.listen('spawners:wake', (message) => void woken.push(message));
    await schema.sessions.requestEnd({ sessionId: warm ?? '', reason: 'admin_ended', by: 'admin' });
    await schema.ping();
    expect(woken).toContainEqual({ kind: 'pool', profile: 'default' });
  });

  test('an agent that gets ready after the pool shrank is surplus and begins to end in the same step', async () => {
    await addHost();
    await planRefill(1);
    const session = await claimed();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    await schema.sessions.commitLaunch(ref, FACTS);
    await schema.pools.resize('default', 0);
    expect(await schema.sessions.markReady(ref, 5)).toEqual({ status: 'surplus' });
    expect(await schema.sessions.read(session.id)).toMatchObject({
      session: { status: 'ending', endReason: 'pool_surplus' },
    });
  });

  test('shrinking ends the oldest idle warm agents and never a call', async () => {
    await addHost();
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
    await addHost(HOST, 3);
    await schema.pools.resize('default', 7);
    await addHost(HOST, 3);
    expect((await schema.pools.read())[0]?.target).toBe(7);
    await addHost(HOST, 4);
    expect((await schema.pools.read())[0]?.target).toBe(4);
  });

  test('retiring a warm agent that was just given away is refused', async () => {
    await addHost();
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

describe('launching', () => {
  test('pid and pgid stand in both places with a TTL', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const { session } = await launchNext();
    expect(await redis.command('GET', `agent:${session.id}:pid`)).toBe('4242');
    expect(await redis.command('HMGET', `session:${session.id}`, 'agentPid', 'agentPgid')).toEqual([
      '4242',
      '4242',
    ]);
    expect(Number(await redis.command('TTL', `agent:${session.id}:pid`))).toBeGreaterThan(50);
  });

  test('a step whose answer was lost is taken again without being counted twice', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const args = { host: HOST, launch: 'lost1', hostCapacity: 60, includePool: true };
    const first = await schema.sessions.claim(args);
    expect(await schema.sessions.claim(args)).toEqual(first);
    if (first.status !== 'claimed') throw new Error(first.status);
    const { id, generation, launch } = first.session;
    expect(generation).toBe(1);
    const ref = { sessionId: id, generation, launch };
    for (let i = 0; i < 2; i += 1)
      expect(await schema.sessions.commitLaunch(ref, FACTS)).toEqual({ status: 'ok' });
    for (let i = 0; i < 2; i += 1)
      expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'ready' });
    expect((await schema.health.read()).totals).toMatchObject({ totalSpawned: 1, totalReady: 1 });
    expect((await schema.sessions.claim(args)).status).toBe('none');
  });

  test('a warm agent that got a caller before its launch heard that it was pooled is ready, not superseded', async () => {
    await addHost();
    await planRefill(1);
    const session = await claimed();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    await schema.sessions.commitLaunch(ref, FACTS);
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'pooled' });
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'pooled' });
    await schema.sessions.start(startArgs());
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'ready' });
  });

  test('a late commit of an ended or newer launch changes nothing', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const session = await claimed();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    const stranger = { ...ref, launch: 'other' };
    expect((await schema.sessions.commitLaunch(stranger, FACTS)).status).toBe('superseded');
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.commitLaunch(ref, FACTS)).toEqual({ status: 'superseded', now: 'ending' });
    expect((await schema.sessions.markReady(ref, 5)).status).toBe('superseded');
    expect(await redis.command('EXISTS', `agent:${session.id}:pid`)).toBe(0);
    await schema.sessions.finishEnd(session.id, session.generation);
    expect(await schema.sessions.commitLaunch(ref, FACTS)).toEqual({ status: 'superseded', now: undefined });
  });

  test('a failing start is tried again later and then is an error with nothing else left', async () => {
    await addHost();
    const args = startArgs({ userId: 'ann' });
    await schema.sessions.start(args);
    const failure = {
      error: 'The agent exited with code 1.',
      lastLines: ['boom'],
      maxAttempts: 2,
      backoffMs: 5,
      holdoffBaseMs: 1000,
      holdoffMaxMs: 60_000,
    };
    const first = await claimed();
    const firstRef = { sessionId: first.id, generation: first.generation, launch: first.launch };
    await schema.agents.append(firstRef, { lines: ['boom'], events: [], offset: 5, sign: 'patternSeen' });
    expect(await schema.sessions.failLaunch(firstRef, failure)).toEqual({ status: 'retry', dueInMs: 5 });
    expect((await schema.sessions.failLaunch(firstRef, failure)).status).toBe('superseded');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const second = await claimed();
    expect(second).toMatchObject({
      id: first.id,
      generation: 2,
      attempts: 1,
      logOffset: undefined,
      patternSeen: false,
    });
    const secondRef = { sessionId: second.id, generation: second.generation, launch: second.launch };
    expect(await schema.sessions.failLaunch(secondRef, failure)).toEqual({ status: 'error' });
    expect(await schema.sessions.read(args.sessionId)).toMatchObject({
      session: { status: 'error', error: failure.error, lastLines: '["boom"]' },
    });
    expect(await redis.command('EXISTS', 'session:user:ann')).toBe(0);
    expect(await schema.health.read()).toMatchObject({ starting: 0, callers: 0 });
    const ttl = Number(await redis.command('TTL', `session:${args.sessionId}`));
    expect(ttl).toBeGreaterThan(290);
    expect(ttl).toBeLessThanOrEqual(300);
  });

  test('a pool whose agents cannot start holds its refills off', async () => {
    await addHost();
    await planRefill(1);
    const session = await claimed();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    const failure = {
      error: 'x',
      lastLines: [],
      maxAttempts: 1,
      backoffMs: 5,
      holdoffBaseMs: 1000,
      holdoffMaxMs: 60_000,
    };
    expect(await schema.sessions.failLaunch(ref, failure)).toEqual({ status: 'dropped', heldOffMs: 1000 });
    expect(await planRefill(3)).toEqual([]);
  });

  test('a host that finds nothing due hears when the next launch is, a warm one too', async () => {
    await addHost();
    expect(await claim()).toEqual({ status: 'none', nextDueMs: undefined });
    const failure = { error: 'x', lastLines: [], maxAttempts: 3, holdoffBaseMs: 1, holdoffMaxMs: 1 };
    const fail = async (backoffMs: number) => {
      const { id, generation, launch } = await claimed();
      await schema.sessions.failLaunch({ sessionId: id, generation, launch }, { ...failure, backoffMs });
    };
    const dueMs = async () => {
      const result = await claim();
      return result.status === 'none' && result.nextDueMs;
    };
    await planRefill(1);
    await fail(60_000);
    expect(await dueMs()).toBeGreaterThan(59_000);
    await schema.sessions.start(startArgs());
    await fail(30_000);
    expect(await dueMs()).toBeLessThanOrEqual(30_000);
    expect(await dueMs()).toBeGreaterThan(29_000);
  });
});

describe('ending', () => {
  test('the first cause wins, and only the owner finishes', async () => {
    await addHost();
    await schema.sessions.start(startArgs({ userId: 'ann' }));
    const { session } = await launchNext();
    const end = { sessionId: session.id, reason: 'caller_ended', by: 'caller' } as const;
    expect((await schema.sessions.requestEnd(end)).status).toBe('ending');
    expect(await schema.sessions.requestEnd({ ...end, reason: 'admin_ended', by: 'admin' })).toMatchObject({
      status: 'already_ending',
      session: { endReason: 'caller_ended' },
    });
    expect((await heartbeat()).ending).toEqual([session.id]);
    expect((await schema.sessions.finishEnd(session.id, 99)).status).toBe('not_ending');
    expect((await schema.sessions.finishEnd(session.id, session.generation)).status).toBe('gone');
    expect(await schema.sessions.read(session.id)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'caller_ended', endedBy: 'caller' },
    });
    const left = (await keys()).filter((key) => key.includes(session.id));
    expect(left.sort()).toEqual([`ended:${session.id}`, `history:${session.id}`]);
    expect(await redis.command('EXISTS', 'session:user:ann', 'session:ready', 'sessions:callers')).toBe(0);
    expect((await heartbeat()).ending).toEqual([]);
    expect(await redis.command('ZRANGE', 'rooms:doomed', 0, -1)).toEqual([session.roomName]);
    expect((await heartbeat()).doomed).toEqual([]);
  });

  test('a session that nobody has claimed is over at once', async () => {
    await addHost();
    const args = startArgs();
    await schema.sessions.start(args);
    expect(
      await schema.sessions.requestEnd({ sessionId: args.sessionId, reason: 'caller_ended', by: 'caller' }),
    ).toEqual({ status: 'gone' });
    expect((await heartbeat()).doomed).toEqual([args.roomName]);
    expect((await claim()).status).toBe('none');
  });

  test('late output of an ended agent brings no key back', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    await schema.agents.append(ref, { lines: ['hello'], events: [{ type: 'health', data: {} }] });
    expect(await schema.agents.recentLines(session.id, 10)).toEqual(['hello']);
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(session.id, session.generation);
    await schema.agents.append(ref, { lines: ['late'], events: [{ type: 'health', data: {} }] });
    const left = (await keys()).filter((key) => key.includes(session.id));
    expect(left.sort()).toEqual([`ended:${session.id}`, `history:${session.id}`]);
  });

  test('output given twice is taken once, each file by itself, in parts too', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    const log = { id: 'one', lines: ['a', 'b'], events: [], offset: 4, sign: 'patternSeen' } as const;
    const many = Array.from({ length: 700 }, (_, i) => ({ type: 'health', data: { i } }));
    const events = { id: 'two', source: 'events', lines: [], events: many, offset: 99 } as const;
    for (const output of [log, events, log, events])
      expect(await schema.agents.append(ref, output)).toBe('ok');
    expect(await schema.agents.recentLines(session.id, 10)).toEqual(['a', 'b']);
    const stream = (await redis.command('XRANGE', `stream:${session.id}`, '-', '+')) as unknown[];
    expect(stream.filter((entry) => JSON.stringify(entry).includes('"health"'))).toHaveLength(700);
    expect(await schema.sessions.read(session.id)).toMatchObject({
      session: { logOffset: 4, eventsOffset: 99, patternSeen: true, readySaid: false },
    });
    await schema.agents.append(ref, { lines: ['c'], events: [], offset: 2 });
    expect(await schema.agents.recentLines(session.id, 10)).toEqual(['a', 'b', 'c']);
  });

  test('who follows is told how many lines were left out of a burst', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    const heard: string[] = [];
    await schema.agents.followLines(session.id, (line) => void heard.push(line));
    const burst = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
    await schema.agents.append(ref, { lines: burst, events: [] });
    await schema.ping();
    expect(heard.slice(0, 2)).toEqual(['… 800 lines left out: too many at once', 'line 800']);
    expect(heard).toHaveLength(201);
    expect(await schema.agents.recentLines(session.id, 1000)).toEqual(burst.slice(-200));
  });

  test('a deadline ends a session only when it is really over', async () => {
    await addHost();
    const args = startArgs({ sessionTimeoutMs: 200 });
    await schema.sessions.start(args);
    const { session } = await launchNext();
    const end = {
      sessionId: session.id,
      reason: 'session_timeout',
      by: 'spawner',
      onlyPastDeadline: true,
    } as const;
    expect((await schema.sessions.requestEnd(end)).status).toBe('refused');
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    await schema.sessions.renew(ref, 60_000, {});
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await schema.sessions.sweepIndexes()).overdue).toEqual([session.id]);
    expect((await schema.sessions.requestEnd(end)).status).toBe('ending');
  });
});

describe('sweeping', () => {
  test('indexes that disagree with their hashes are repaired', async () => {
    await addHost();
    const [warm] = await warmUp(1);
    await redis.command('SADD', 'session:ready', 'session_ghostghostghostghost', warm ?? '');
    await redis.command('SREM', 'pool:ready', warm ?? '');
    await redis.command('ZADD', 'spawn:pending', '1', 'session_ghostghostghostghost');
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(2);
    expect(await redis.command('SMEMBERS', 'session:ready')).toEqual([]);
    expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([warm]);
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(0);
  });
});

describe('sweeping what a host has', () => {
  test('places that nobody takes any more are given back', async () => {
    await addHost();
    await schema.sessions.start(startArgs());
    const { session } = await launchNext();
    await schema.agents.append(
      { sessionId: session.id, generation: session.generation },
      { lines: ['x'], events: [] },
    );
    await redis.command('SADD', `host:${HOST}:ending`, session.id);
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(1);
    expect((await heartbeat()).ending).toEqual([]);
    await redis.command('DEL', `session:${session.id}`);
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(1);
    expect(await schema.hosts.sessionsOf(HOST)).toEqual([]);
    expect((await keys()).filter((key) => key.includes(session.id))).toEqual([]);
  });

  test('what fell out of an index comes back: the wish for a launch, the deadline, the order to end', async () => {
    await addHost();
    const waiting = startArgs();
    const call = startArgs();
    await schema.sessions.start(call);
    const { session } = await launchNext();
    await schema.sessions.start(waiting);
    await redis.command('DEL', 'spawn:pending', 'sessions:deadlines', 'sessions:index');
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(2);
    expect(await redis.command('ZSCORE', 'sessions:deadlines', session.id)).toBe(String(session.deadlineAt));
    expect((await schema.sessions.list({}, { limit: 5 })).sessions).toHaveLength(2);
    expect((await claimed()).id).toBe(waiting.sessionId);
    await schema.sessions.requestEnd({ sessionId: call.sessionId, reason: 'caller_ended', by: 'caller' });
    await redis.command('DEL', `host:${HOST}:ending`);
    await schema.sessions.sweepIndexes();
    expect((await heartbeat()).ending).toEqual([call.sessionId]);
  });

  test('without an epoch nothing is touched', async () => {
    await addHost();
    await redis.command('SADD', 'session:ready', 'session_ghostghostghostghost');
    await redis.command('DEL', 'epoch');
    expect(await schema.sessions.sweepIndexes()).toEqual({ repaired: 0, overdue: [], epoch: undefined });
    expect(await redis.command('SMEMBERS', 'session:ready')).toEqual(['session_ghostghostghostghost']);
  });
});

describe('listening', () => {
  test('one who could not listen in time is forgotten, and the next one listens anew', async () => {
    const heard: unknown[] = [];
    redis.pause();
    try {
      await expect(schema.bus.listen('news', (message) => void heard.push(message))).rejects.toThrow(
        /no answer/,
      );
    } finally {
      redis.resume();
    }
    await schema.bus.listen('news', (message) => void heard.push(message));
    await schema.bus.publish('news', 1);
    await schema.ping();
    expect(heard).toEqual([1]);
  });
});

describe('listing', () => {
  test('pages through live sessions, newest first, without loss or repeat', async () => {
    await addHost();
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      const args = startArgs({ userId: `u${i % 2}x${i}` });
      ids.push(args.sessionId);
      await schema.sessions.start(args);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await schema.sessions.list({}, { cursor, limit: 3 });
      seen.push(...page.sessions.map((session) => session.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.sort()).toEqual(ids.sort());
    expect((await schema.sessions.list({ userId: 'u0x2' }, { limit: 10 })).sessions).toHaveLength(1);
    expect((await schema.sessions.list({}, { cursor: 'rubbish', limit: 2 })).sessions).toHaveLength(2);
  });
});

test('the scripts refuse every transition that the table does not know', async () => {
  for (const from of SESSION_STATES) {
    if (from === 'gone') continue;
    await redis.command('FLUSHALL');
    await addHost();
    await schema.sessions.start(startArgs());
    const session = await claimed();
    await redis.command('HSET', `session:${session.id}`, 'status', from);
    const before = await redis.command('HGETALL', `session:${session.id}`);
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    const legal = (LEGAL_TRANSITIONS[from] as readonly string[]).includes('ready');
    const outcome = await schema.sessions.markReady(ref, 1);
    if (from === 'starting' || from === 'restarting') {
      expect(legal && outcome.status).toBe('ready');
    } else {
      // This launch is ready already: its answer was lost and it asks again.
      const isRepeated = from === 'ready' || from === 'pooled';
      expect(outcome.status).toBe(isRepeated ? from : 'superseded');
      expect(await redis.command('HGETALL', `session:${session.id}`)).toEqual(before);
    }
  }
});

test('a key prefix keeps two deployments apart', async () => {
  const other = openRedis({ url: redis.url, clientName: 'other', keyPrefix: 'two:' });
  await other.connected(2000);
  await addHost();
  expect((await other.health.read()).hosts).toBe(0);
  await other.hosts.register('h', [{ name: 'default', voices: [], poolTarget: 1 }]);
  expect((await keys()).filter((key) => key.startsWith('two:'))).not.toHaveLength(0);
  await other.close();
});
