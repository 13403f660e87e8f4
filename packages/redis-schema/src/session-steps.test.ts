import { describe, expect, test } from '@jest/globals';
import { LEGAL_TRANSITIONS, SESSION_STATES } from '@greenroom/contracts';
import { openRedis } from './index.js';
import { addWarmHost, launchNext, planRefill, startArgs, warmUp } from './testing/sessions.js';
import { claimSession, HOST, heartbeat, look, PROCESS, redis, schema, useRedis } from './testing/steps.js';

useRedis();

async function keys(): Promise<string[]> {
  const all = (await redis.command('KEYS', '*')) as string[];
  return all.filter((key) => !key.includes('bull:')).sort();
}

async function recentTexts(id: string, count: number): Promise<string[]> {
  return (await schema.agents.recentLines(id, count)).map(({ text }) => text);
}

describe('launching', () => {
  test('pid and pgid stand in both places with a TTL', async () => {
    await addWarmHost();
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
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const args = { host: HOST, launch: 'lost1', hostCapacity: 60, includePool: true };
    const first = await schema.sessions.claim(args);
    expect(await schema.sessions.claim(args)).toEqual(first);
    if (first.status !== 'claimed') throw new Error(first.status);
    const { id, generation, launch } = first.session;
    expect(generation).toBe(1);
    const ref = { sessionId: id, generation, launch };
    for (let i = 0; i < 2; i += 1)
      expect(await schema.sessions.commitLaunch(ref, PROCESS)).toEqual({ status: 'ok' });
    for (let i = 0; i < 2; i += 1)
      expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'ready' });
    expect((await schema.health.read()).totals).toMatchObject({ totalSpawned: 1, totalReady: 1 });
    expect((await schema.sessions.claim(args)).status).toBe('none');
  });

  test('a warm agent that got a caller before its launch heard that it was pooled is ready, not superseded', async () => {
    await addWarmHost();
    await planRefill(1);
    const session = await claimSession();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    await schema.sessions.commitLaunch(ref, PROCESS);
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'pooled' });
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'pooled' });
    await schema.sessions.start(startArgs());
    expect(await schema.sessions.markReady(ref, 9)).toEqual({ status: 'ready' });
  });

  test('a late commit of an ended or newer launch changes nothing', async () => {
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const session = await claimSession();
    const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
    const stranger = { ...ref, launch: 'other' };
    expect((await schema.sessions.commitLaunch(stranger, PROCESS)).status).toBe('superseded');
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.commitLaunch(ref, PROCESS)).toEqual({ status: 'superseded', now: 'ending' });
    expect((await schema.sessions.markReady(ref, 5)).status).toBe('superseded');
    expect(await redis.command('EXISTS', `agent:${session.id}:pid`)).toBe(0);
    await schema.sessions.finishEnd(session.id, session.generation);
    expect(await schema.sessions.commitLaunch(ref, PROCESS)).toEqual({
      status: 'superseded',
      now: undefined,
    });
  });

  test('a failing start is tried again later and then is an error with nothing else left', async () => {
    await addWarmHost();
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
    const first = await claimSession();
    const firstRef = { sessionId: first.id, generation: first.generation, launch: first.launch };
    await schema.agents.append(firstRef, { lines: ['boom'], events: [], offset: 5, sign: 'patternSeen' });
    expect(await schema.sessions.failLaunch(firstRef, failure)).toEqual({ status: 'retry', dueInMs: 5 });
    expect((await schema.sessions.failLaunch(firstRef, failure)).status).toBe('superseded');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const second = await claimSession();
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
    await addWarmHost();
    await planRefill(1);
    const session = await claimSession();
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
    await addWarmHost();
    expect(await look()).toEqual({ status: 'none', nextDueMs: undefined });
    const failure = { error: 'x', lastLines: [], maxAttempts: 3, holdoffBaseMs: 1, holdoffMaxMs: 1 };
    const fail = async (backoffMs: number) => {
      const { id, generation, launch } = await claimSession();
      await schema.sessions.failLaunch({ sessionId: id, generation, launch }, { ...failure, backoffMs });
    };
    const dueMs = async () => {
      const result = await look();
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
    await addWarmHost();
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
    await addWarmHost();
    const args = startArgs();
    await schema.sessions.start(args);
    expect(
      await schema.sessions.requestEnd({ sessionId: args.sessionId, reason: 'caller_ended', by: 'caller' }),
    ).toEqual({ status: 'gone' });
    expect((await heartbeat()).doomed).toEqual([args.roomName]);
    expect((await look()).status).toBe('none');
  });

  test('late output of an ended agent brings no key back', async () => {
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    await schema.agents.append(ref, { lines: ['hello'], events: [{ type: 'health', data: {} }] });
    expect(await recentTexts(session.id, 10)).toEqual(['hello']);
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(session.id, session.generation);
    await schema.agents.append(ref, { lines: ['late'], events: [{ type: 'health', data: {} }] });
    const left = (await keys()).filter((key) => key.includes(session.id));
    expect(left.sort()).toEqual([`ended:${session.id}`, `history:${session.id}`]);
  });

  test('output given twice is taken once, each file by itself, in parts too', async () => {
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    const log = { id: 'one', lines: ['a', 'b'], events: [], offset: 4, sign: 'patternSeen' } as const;
    const many = Array.from({ length: 700 }, (_, i) => ({ type: 'health', data: { i } }));
    const events = { id: 'two', source: 'events', lines: [], events: many, offset: 99 } as const;
    for (const output of [log, events, log, events])
      expect(await schema.agents.append(ref, output)).toBe('ok');
    expect(await recentTexts(session.id, 10)).toEqual(['a', 'b']);
    const stream = (await redis.command('XRANGE', `stream:${session.id}`, '-', '+')) as unknown[];
    expect(stream.filter((entry) => JSON.stringify(entry).includes('"health"'))).toHaveLength(700);
    expect(await schema.sessions.read(session.id)).toMatchObject({
      session: { logOffset: 4, eventsOffset: 99, patternSeen: true, readySaid: false },
    });
    await schema.agents.append(ref, { lines: ['c'], events: [], offset: 2 });
    expect(await recentTexts(session.id, 10)).toEqual(['a', 'b', 'c']);
  });

  test('who follows is told how many lines were left out of a burst', async () => {
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const { session, ref } = await launchNext();
    const heard: string[] = [];
    await schema.agents.followLines(session.id, ({ text }) => void heard.push(text));
    const burst = Array.from({ length: 1000 }, (_, i) => `line ${i}`);
    await schema.agents.append(ref, { lines: burst, events: [] });
    await schema.ping();
    expect(heard.slice(0, 2)).toEqual(['… 800 lines left out: too many at once', 'line 800']);
    expect(heard).toHaveLength(201);
    expect(await recentTexts(session.id, 1000)).toEqual(burst.slice(-200));
  });

  test('a deadline ends a session only when it is really over', async () => {
    await addWarmHost();
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
    await addWarmHost();
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
    await addWarmHost();
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
    await addWarmHost();
    const waiting = startArgs();
    const call = startArgs();
    await schema.sessions.start(call);
    const { session } = await launchNext();
    await schema.sessions.start(waiting);
    await redis.command('DEL', 'spawn:pending', 'sessions:deadlines', 'sessions:index');
    expect((await schema.sessions.sweepIndexes()).repaired).toBe(2);
    expect(await redis.command('ZSCORE', 'sessions:deadlines', session.id)).toBe(String(session.deadlineAt));
    expect((await schema.sessions.list({}, { limit: 5 })).sessions).toHaveLength(2);
    expect((await claimSession()).id).toBe(waiting.sessionId);
    await schema.sessions.requestEnd({ sessionId: call.sessionId, reason: 'caller_ended', by: 'caller' });
    await redis.command('DEL', `host:${HOST}:ending`);
    await schema.sessions.sweepIndexes();
    expect((await heartbeat()).ending).toEqual([call.sessionId]);
  });

  test('without an epoch nothing is touched', async () => {
    await addWarmHost();
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
    await addWarmHost();
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
    await addWarmHost();
    await schema.sessions.start(startArgs());
    const session = await claimSession();
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
  await addWarmHost();
  expect((await other.health.read()).hosts).toBe(0);
  await other.hosts.register('h', [{ name: 'default', voices: [], poolTarget: 1 }]);
  expect((await keys()).filter((key) => key.startsWith('two:'))).not.toHaveLength(0);
  await other.close();
});
