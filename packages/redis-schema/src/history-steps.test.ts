import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { type LaunchRef, openRedis, type RedisSchema, type Retention } from './index.js';

const HOST = 'host-a';
const OTHER_HOST = 'host-b';
const FACTS = { pid: 4242, pgid: 4242, startTime: '777', roomSid: 'RM_x', logFile: '/tmp/x.log' };
const DAY_MS = 86_400_000;
const RETENTION = { historyMs: 30 * DAY_MS, historyMax: 100, transcriptMs: 0, logMs: 7 * DAY_MS };
const FAILURE = { error: 'It exited.', maxAttempts: 1, backoffMs: 1, holdoffBaseMs: 1, holdoffMaxMs: 1 };

const REPLACED_BY_LIST = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'x')";

let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await open();
  for (const host of [HOST, OTHER_HOST]) {
    await schema.hosts.register(host, [{ name: 'default', voices: [], poolTarget: 0 }]);
    await heartbeat(host);
  }
});
afterEach(() => schema.close());

async function open(retention: Partial<Retention> = {}, onUnreadable?: (key: string) => void): Promise<void> {
  await schema?.close();
  schema = openRedis({
    url: redis.url,
    clientName: 'test',
    retention: { ...RETENTION, ...retention },
    ...(onUnreadable && { onUnreadable }),
  });
  await schema.connected(2000);
}

function heartbeat(host = HOST) {
  const fields = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 0, draining: false };
  return schema.hosts.heartbeat(host, fields);
}

const freshId = (kind = 'session') => `${kind}_${String((serial += 1)).padStart(24, '0')}`;

interface StartOptions {
  userId?: string;
  userScope?: string;
  userName?: string;
  key?: string;
  maxSessions?: number;
  queueMax?: number;
}

async function start(over: StartOptions = {}) {
  const sessionId = freshId();
  const { key, ...rest } = over;
  const answer = await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: true,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
    ...(key !== undefined && { idempotency: { scope: 'test', key, bodyHash: 'x' } }),
    ...rest,
  });
  if (!('session' in answer)) throw new Error(answer.status);
  return answer.session.id;
}

async function commit(host = HOST): Promise<LaunchRef> {
  const claim = await schema.sessions.claim({
    host,
    launch: freshId('launch'),
    hostCapacity: 60,
    includePool: true,
  });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const { id: sessionId, generation, launch } = claim.session;
  const ref = { sessionId, generation, launch };
  await schema.sessions.commitLaunch(ref, FACTS);
  return ref;
}

async function launch(host = HOST): Promise<LaunchRef> {
  const ref = await commit(host);
  await schema.sessions.markReady(ref, 100);
  return ref;
}

async function end(ref: LaunchRef, reason = 'caller_ended' as const): Promise<void> {
  await schema.sessions.requestEnd({ sessionId: ref.sessionId, reason, by: 'caller', detail: 'bye' });
  await schema.sessions.finishEnd(ref.sessionId, ref.generation);
}

/** A whole call. */
async function call(over: StartOptions = {}, host = HOST): Promise<string> {
  await start(over);
  const ref = await launch(host);
  await end(ref);
  return ref.sessionId;
}

async function warmAgent(): Promise<LaunchRef> {
  const id = freshId('prewarm');
  const sizes = { warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 };
  await schema.pools.resize('default', 1);
  await schema.pools.planRefill({ profile: 'default', ids: [id], rooms: [`greenroom-${id}`], ...sizes });
  return launch();
}

const say = (ref: LaunchRef, type: string, data: object) =>
  schema.agents.append(ref, { lines: [], events: [{ type, data }] });
const spoken = (text: string, final = true) => ({ role: 'user', text, final });
async function entryOf(id: string) {
  const entry = await schema.history.read(id);
  if (entry === undefined) throw new Error(`${id} has no entry`);
  return entry;
}
const idsOf = async (filter: Parameters<RedisSchema['history']['list']>[0] = {}) =>
  (await schema.history.list(filter, { limit: 100 })).entries.map(({ id }) => id);
const keys = async (pattern: string) => ((await redis.command('KEYS', pattern)) as string[]).sort();

describe('an ended call', () => {
  test('has an entry with what happened, in order, and what its agent used and printed at last', async () => {
    const id = await start({ userId: 'ada', userName: 'Ada', userScope: 'k12345678' });
    const first = await launch();
    await say(first, 'agent_speaking', { active: false });
    expect(await schema.sessions.read(id)).toMatchObject({ session: { firstAudioAt: undefined } });
    await schema.agents.append(first, { lines: ['one', 'two'], events: [] });
    await schema.sessions.renew(first, 60_000, { rss: '5000', cpu: '1.50' });
    await schema.sessions.renew(first, 60_000, { rss: '3000', cpu: '2.00' });
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    const second = await launch(OTHER_HOST);
    await say(second, 'agent_speaking', { active: true });
    await say(second, 'agent_speaking', { active: true });
    await schema.sessions.renew(second, 60_000, { rss: '4000', cpu: '0.25' });
    await schema.sessions.requestEnd({ sessionId: id, reason: 'admin_ended', by: 'admin', detail: 'why' });
    await schema.sessions.finishEnd(id, second.generation, { rss: '4500', cpu: '0.50' });
    const entry = await entryOf(id);
    expect(entry).toMatchObject({
      id,
      userId: 'ada',
      userKey: 'k12345678:ada',
      userName: 'Ada',
      profile: 'default',
      prewarmed: false,
      restarts: 1,
      endReason: 'admin_ended',
      endedBy: 'admin',
      endDetail: 'why',
      peakRssBytes: 5000,
      cpuSeconds: 2.5,
      lastLines: ['one', 'two'],
      forgotten: false,
      error: undefined,
      joinedAt: undefined,
      launches: [
        { generation: 1, host: HOST },
        { generation: 2, host: OTHER_HOST },
      ],
    });
    const { askedAt, spawnedAt, readyAt, firstAudioAt, endRequestedAt, endedAt } = entry;
    const times = [askedAt, spawnedAt, readyAt, firstAudioAt, endRequestedAt, endedAt];
    expect(times.every((at) => Number.isSafeInteger(at))).toBe(true);
    expect(times).toEqual([...times].sort((a, b) => Number(a) - Number(b)));
    expect(schema.clock.now() - Number(askedAt)).toBeLessThan(10_000);
  });

  test('keeps the times of its first launch when a later one is ready', async () => {
    const id = await start();
    const first = await launch();
    await redis.command('HSET', `session:${id}`, 'spawnedAt', 1000, 'firstReadyAt', 2000);
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await end(await launch());
    expect(await entryOf(id)).toMatchObject({ spawnedAt: 1000, readyAt: 2000 });
  });

  test('that had a warm agent: the agent was ready before it was asked for, and only its caller hears it speak', async () => {
    const warm = await warmAgent();
    await say(warm, 'agent_speaking', { active: true });
    const id = await start({ userId: 'ada' });
    expect(id).toBe(warm.sessionId);
    expect((await schema.sessions.read(id)) as object).toMatchObject({
      session: { firstAudioAt: undefined },
    });
    await say(warm, 'agent_speaking', { active: true });
    await end(warm);
    const entry = await entryOf(id);
    expect(entry).toMatchObject({ prewarmed: true, userId: 'ada' });
    expect(Number(entry.readyAt)).toBeLessThanOrEqual(Number(entry.askedAt));
    expect(Number(entry.firstAudioAt)).toBeGreaterThanOrEqual(Number(entry.askedAt));
  });

  test.each([['a warm agent that nobody got', async () => (await warmAgent()).sessionId]])(
    'and not %s',
    async (_, begin) => {
      const id = await begin();
      await schema.sessions.requestEnd({ sessionId: id, reason: 'warm_agent_retired', by: 'spawner' });
      await schema.sessions.finishEnd(id, 1);
      expect(await schema.sessions.read(id)).toMatchObject({
        status: 'ended',
        ended: { endReason: 'warm_agent_retired' },
      });
      expect(await idsOf()).toEqual([]);
    },
  );

  test('that nobody had claimed, that failed to start, or whose host was silent, has its entry too', async () => {
    const unclaimed = await start();
    await schema.sessions.requestEnd({ sessionId: unclaimed, reason: 'caller_ended', by: 'caller' });
    const failed = await start({ userId: 'ada' });
    const lastLines = ['x'.repeat(299) + '€€', 'last words'];
    await schema.sessions.failLaunch(await commit(), { ...FAILURE, lastLines });
    const fenced = await start();
    await launch(OTHER_HOST);
    await redis.command('ZADD', 'hosts', 1, OTHER_HOST);
    expect(
      await schema.sessions.requestEnd({ sessionId: fenced, reason: 'caller_ended', by: 'caller' }),
    ).toMatchObject({
      status: 'fenced',
    });
    expect((await idsOf()).sort()).toEqual([unclaimed, failed, fenced].sort());
    expect(await entryOf(unclaimed)).toMatchObject({
      endReason: 'caller_ended',
      spawnedAt: undefined,
      launches: [],
    });
    expect(await entryOf(failed)).toMatchObject({
      endReason: 'start_failed',
      endedBy: 'spawner',
      error: 'It exited.',
      userId: 'ada',
      readyAt: undefined,
      lastLines: [`${'x'.repeat(299)}…`, 'last words'],
      launches: [{ generation: 1, host: HOST }],
    });
    // It is still shown for a while; when that is over, nothing is written again.
    await schema.sessions.requestEnd({ sessionId: failed, reason: 'admin_ended', by: 'admin' });
    expect(await entryOf(failed)).toMatchObject({ endReason: 'start_failed' });
  });

  /** A caller who waits until a warm agent is theirs. @returns the id in line, and the agent's */
  async function waitForWarm(inLine: (id: string) => Promise<unknown> = async () => undefined) {
    await start();
    const before = await launch();
    const queued = await start({ userId: 'ada', maxSessions: 1, queueMax: 5 });
    const warm = await warmAgent();
    await inLine(queued);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await end(before);
    expect(await schema.sessions.read(queued)).toMatchObject({
      session: { id: warm.sessionId, status: 'ready' },
    });
    return { queued, warm };
  }

  test('that began in line: when it was asked for and waited, found under the id that it had there', async () => {
    const { queued, warm } = await waitForWarm();
    await end(warm);
    const entry = await entryOf(queued);
    expect(entry).toMatchObject({ id: warm.sessionId, userId: 'ada', prewarmed: true });
    expect(entry.queuedAt).toBe(entry.askedAt);
    expect(Number(entry.assignedAt)).toBeGreaterThan(Number(entry.askedAt));
    expect(Number(await redis.command('PTTL', `becomes:${queued}`))).toBeGreaterThan(29 * DAY_MS);
    expect(await idsOf({ userId: 'ada' })).toEqual([warm.sessionId]);
  });

  test('of a user who was to be forgotten while in line', async () => {
    const { warm } = await waitForWarm(() => schema.history.forgetUser('ada'));
    await end(warm);
    expect(await entryOf(warm.sessionId)).toMatchObject({ forgotten: true, userId: undefined });
  });

  test('of a caller who has left the line', async () => {
    await start();
    await launch();
    const queued = await start({ userId: 'ada', maxSessions: 1, queueMax: 5 });
    await schema.sessions.requestEnd({ sessionId: queued, reason: 'caller_ended', by: 'caller' });
    const entry = await entryOf(queued);
    expect(entry).toMatchObject({ endReason: 'caller_ended', spawnedAt: undefined, launches: [] });
    expect(Number(entry.queuedAt)).toBeGreaterThan(0);
  });

  test('is written once, though the step is asked again because its answer was lost', async () => {
    await start();
    const ref = await launch();
    await end(ref);
    const before = await entryOf(ref.sessionId);
    await schema.sessions.finishEnd(ref.sessionId, ref.generation, { rss: '1', cpu: '1' });
    expect(await entryOf(ref.sessionId)).toEqual(before);
    expect(await schema.health.read()).toMatchObject({ totals: { totalEnded: 1 } });
  });

  test('survives a loss of data while it was live: its host knows the times and where the log lies', async () => {
    const id = await start({ userId: 'ada' });
    const ref = await launch();
    await say(ref, 'agent_speaking', { active: true });
    await schema.sessions.renew(ref, 60_000, { rss: '7000', cpu: '1.00' });
    const found = await schema.sessions.read(id);
    if (found.status !== 'live') throw new Error(found.status);
    await redis.command('DEL', `session:${id}`, 'sessions:index');
    await schema.sessions.publishLaunch(ref, HOST, found.session, FACTS);
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(id, ref.generation);
    const { askedAt, spawnedAt, firstAudioAt } = found.session;
    expect(await entryOf(id)).toMatchObject({
      askedAt,
      spawnedAt,
      firstAudioAt,
      peakRssBytes: 7000,
      cpuSeconds: 1,
      launches: [{ generation: 1, host: HOST }],
    });
  });
});

describe('the history', () => {
  test('is listed newest first, page by page, each once', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.unshift(await call());
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await schema.history.list({}, { limit: 3, cursor });
      expect(page.entries.length).toBeLessThanOrEqual(3);
      seen.push(...page.entries.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.length).toBe(7);
    expect(new Set(seen)).toEqual(new Set(ids));
    const ends = await Promise.all(seen.map(async (id) => (await entryOf(id)).endedAt));
    expect(ends).toEqual([...ends].sort((a, b) => b - a));
  });

  test('ends in the same millisecond are each listed once, across pages', async () => {
    const ids = [await call(), await call(), await call()];
    const at = Math.round(schema.clock.now());
    for (const id of ids) await redis.command('ZADD', 'history', at, id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await schema.history.list({}, { limit: 1, cursor });
      seen.push(...page.entries.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined && seen.length < 10);
    expect(seen.sort()).toEqual(ids.sort());
  });

  test('is filtered by user, host, reason, profile and time of the end', async () => {
    const ada = await call({ userId: 'ada' });
    const bob = await call({ userId: 'bob', userScope: 'k12345678' }, OTHER_HOST);
    const { endedAt } = await entryOf(ada);
    expect(await idsOf({ userId: 'ada' })).toEqual([ada]);
    expect(await idsOf({ userId: 'bob' })).toEqual([bob]);
    expect(await idsOf({ userId: 'nobody' })).toEqual([]);
    expect(await idsOf({ host: OTHER_HOST })).toEqual([bob]);
    expect(await idsOf({ host: 'host' })).toEqual([]);
    expect(await idsOf({ reason: 'caller_ended' })).toHaveLength(2);
    expect(await idsOf({ reason: 'stale' })).toEqual([]);
    expect(await idsOf({ profile: 'other' })).toEqual([]);
    expect(await idsOf({ from: endedAt, to: endedAt })).toContain(ada);
    expect(await idsOf({ to: endedAt - 1 })).toEqual([]);
    expect(await idsOf({ from: endedAt + 60_000 })).toEqual([]);
  });

  test('a filter that matches little costs a bounded walk: the page is short and has a next one', async () => {
    const wanted = await call();
    const json = JSON.stringify({ profile: 'default', endReason: 'stale' });
    const at = Math.round(schema.clock.now()) + 1000;
    const many = Array.from({ length: 700 }, (_, n) => n);
    await redis.command('MSET', ...many.flatMap((n) => [`history:session_${n}`, json]));
    await redis.command('ZADD', 'history', ...many.flatMap((n) => [at + n, `session_${n}`]));
    await redis.command('ZADD', 'history', at + 5000, 'session_without_entry');
    const first = await schema.history.list({ reason: 'caller_ended' }, { limit: 10 });
    expect(first.entries).toEqual([]);
    const second = await schema.history.list(
      { reason: 'caller_ended' },
      { limit: 10, cursor: first.nextCursor },
    );
    expect(second.entries.map(({ id }) => id)).toEqual([wanted]);
    expect(second.nextCursor).toBeUndefined();
  });

  test.each([
    ['no JSON', (key: string) => redis.command('SET', key, '{"userId":')],
    ['no entry', (key: string) => redis.command('SET', key, '5')],
    ['an entry with a list for a text', (key: string) => redis.command('SET', key, '{"launches":[1]}')],
    ['no text', (key: string) => redis.command('EVAL', REPLACED_BY_LIST, 1, key)],
  ])(
    'one that was overwritten with %s is passed over: the others are listed, page by page',
    async (_what, spoil) => {
      const oldest = await call({ userId: 'ada' });
      const spoilt = await call({ userId: 'ada' });
      const newest = await call({ userId: 'ada' });
      await spoil(`history:${spoilt}`);
      for (const filter of [{}, { userId: 'ada' }, { reason: 'caller_ended' as const }]) {
        expect(await idsOf(filter)).toEqual([newest, oldest]);
      }
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 4 && (pages === 0 || cursor !== undefined); pages += 1) {
        const page = await schema.history.list({}, { limit: 1, cursor });
        seen.push(...page.entries.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(seen).toEqual([newest, oldest]);
      await open({ historyMax: 1 });
      const last = await call();
      expect(await idsOf()).toEqual([last]);
      expect(await keys(`history:${spoilt}`)).toEqual([]);
    },
  );

  test('is capped by count: the oldest go, with their transcripts', async () => {
    await open({ historyMax: 3, transcriptMs: 60_000 });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const id = await start({ userId: 'ada' });
      const ref = await launch();
      await say(ref, 'transcript', spoken('hello'));
      await end(ref);
      ids.push(id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const kept = ids.slice(2);
    expect((await idsOf()).sort()).toEqual([...kept].sort());
    expect(await keys('history:session*')).toEqual(kept.map((id) => `history:${id}`).sort());
    expect(await keys('transcript:*')).toEqual(kept.map((id) => `transcript:${id}`).sort());
  });

  test('is capped by age: an entry expires by itself, is not listed when it is too old, and goes with a later end', async () => {
    await open({ historyMs: 60_000, logMs: 0 });
    const old = await call({ userId: 'ada' });
    for (const key of [`history:${old}`, 'history:user:ada']) {
      const ttlMs = Number(await redis.command('PTTL', key));
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(60_000);
    }
    expect(await idsOf()).toEqual([old]);
    const tooOld = Math.round(schema.clock.now()) - 60_001;
    await redis.command('ZADD', 'history', tooOld, old);
    await redis.command('ZADD', 'history:user:ada', tooOld, `${old} `);
    expect(await idsOf()).toEqual([]);
    expect(await idsOf({ userId: 'ada' })).toEqual([]);
    const young = await call({ userId: 'ada' });
    expect(await keys('history:session*')).toEqual([`history:${young}`]);
    expect(await redis.command('ZRANGE', 'history', 0, -1)).toEqual([young]);
    expect(await redis.command('ZRANGE', 'history:user:ada', 0, -1)).toEqual([`${young} `]);
  });

  test('of a user who comes again and again has a list of keys that does not grow for ever', async () => {
    for (let i = 0; i < 60; i += 1) {
      await start({ userId: 'ann', key: `key-${i}` });
      // A day later.
      await redis.command('DEL', `idempotency:test:key-${i}`);
    }
    expect(Number(await redis.command('SCARD', 'user:ann:kept'))).toBeLessThan(30);
  });

  test.each([{ historyMax: 0 }, { historyMs: 0 }])('is not kept at all with %j', async (none) => {
    await open({ ...none, transcriptMs: 60_000 });
    const id = await start();
    const ref = await launch();
    await say(ref, 'transcript', spoken('hello'));
    await end(ref);
    expect(await idsOf()).toEqual([]);
    expect(await keys('{history,transcript}*')).toEqual([]);
    expect(await schema.sessions.read(id)).toMatchObject({
      ended: { launches: [{ generation: 1, host: HOST }] },
    });
  });

  test('takes about a kilobyte of Redis for each call', async () => {
    const id = await start({ userId: 'a-user-of-usual-length', userName: 'Ada Lovelace' });
    const ref = await launch();
    const lines = Array.from({ length: 20 }, (_, n) => `2026-01-01 12:00:00 INFO step ${n} of the agent`);
    await schema.agents.append(ref, { lines, events: [{ type: 'agent_speaking', data: { active: true } }] });
    await schema.sessions.renew(ref, 60_000, { rss: '150000000', cpu: '12.50' });
    await end(ref);
    expect(Number(await redis.command('MEMORY', 'USAGE', `history:${id}`))).toBeLessThan(1536);
  });
});

describe('transcripts', () => {
  async function talk(): Promise<string> {
    const id = await start({ userId: 'ada' });
    const ref = await launch();
    await say(ref, 'transcript', spoken('my kn', false));
    await say(ref, 'transcript', spoken('my knee hurts'));
    await say(ref, 'transcript', { role: 'agent', text: 'which "one"?', final: true });
    await end(ref);
    return id;
  }

  test('go with the session where none is to be kept', async () => {
    const id = await talk();
    expect(await schema.history.transcript(id, 0, 10)).toBeUndefined();
    for (const key of await keys('*')) {
      const type = await redis.command('TYPE', key);
      const dump = type === 'string' ? await redis.command('GET', key) : '';
      expect(String(dump)).not.toContain('knee');
    }
    expect(await keys('{stream,transcript}*')).toEqual([]);
  });

  test('are kept, final lines only and in order, for as long as they are to be and no longer', async () => {
    await open({ transcriptMs: 60_000 });
    const id = await talk();
    const kept = await schema.history.transcript(id, 0, 10);
    expect(kept).toMatchObject({
      total: 2,
      lines: [
        { role: 'user', text: 'my knee hurts' },
        { role: 'agent', text: 'which "one"?' },
      ],
    });
    expect(Math.abs(Number(kept?.lines[0]?.at) - schema.clock.now())).toBeLessThan(10_000);
    expect(await schema.history.transcript(id, 1, 10)).toMatchObject({ lines: [{ role: 'agent' }] });
    const ttlMs = Number(await redis.command('PTTL', `transcript:${id}`));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
    expect(await entryOf(id)).toMatchObject({ userId: 'ada' });
  });
});

describe('forgetting a user', () => {
  const everything = async () => {
    const dumps: string[] = [];
    for (const key of await keys('*')) {
      const type = String(await redis.command('TYPE', key));
      const read = {
        string: ['GET', key],
        hash: ['HGETALL', key],
        set: ['SMEMBERS', key],
        list: ['LRANGE', key, 0, -1],
        stream: ['XRANGE', key, '-', '+'],
      };
      const command = read[type as keyof typeof read] ?? ['ZRANGE', key, 0, -1];
      dumps.push(key, JSON.stringify(await redis.command(...(command as [string]))));
    }
    return dumps.join('\n');
  };

  test('removes who it was, what was said and what names it; what happened stays', async () => {
    await open({ transcriptMs: 60_000 });
    const id = await start({ userId: 'ada', userName: 'Ada L', userScope: 'k12345678', key: 'once' });
    const ref = await launch();
    await schema.agents.append(ref, {
      lines: ['Hello Ada'],
      events: [{ type: 'transcript', data: spoken('secret') }],
    });
    await end(ref);
    const other = await call({ userId: 'bob' });
    expect(await everything()).toContain('idempotency:test:once');
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 1, live: 0 });
    const left = await everything();
    for (const word of ['ada', 'Ada', 'secret', 'idempotency', 'k12345678']) expect(left).not.toContain(word);
    expect(await entryOf(id)).toMatchObject({
      forgotten: true,
      userId: undefined,
      endReason: 'caller_ended',
      endDetail: undefined,
      lastLines: [],
    });
    expect(await entryOf(other)).toMatchObject({ userId: 'bob', forgotten: false });
    expect(await idsOf()).toHaveLength(2);
    expect(await idsOf({ userId: 'ada' })).toEqual([]);
    // The entry goes when it would have gone.
    expect(Number(await redis.command('PTTL', `history:${id}`))).toBeGreaterThan(DAY_MS);
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 0, live: 0 });
  });

  test('takes an entry that cannot be read away as a whole', async () => {
    const id = await call({ userId: 'ada' });
    await redis.command('SET', `history:${id}`, '{"userId":"ada"');
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 1, live: 0 });
    expect(await everything()).not.toContain('ada');
    expect(await idsOf()).toEqual([]);
    expect((await heartbeat()).forget).toEqual([id]);
  });

  test('says which keys cannot be read', async () => {
    const unreadable: string[] = [];
    await open({}, (key) => void unreadable.push(key));
    const id = await call();
    await redis.command('SET', `history:${id}`, '{');
    expect(await schema.history.read(id)).toBeUndefined();
    await idsOf();
    expect(unreadable).toEqual([`history:${id}`, `history:${id}`]);
  });

  test('has each host delete its files, and repeats it until that is done', async () => {
    const id = await start({ userId: 'ada' });
    const first = await launch();
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await end(await launch(OTHER_HOST));
    await schema.history.forgetUser('ada');
    for (const host of [HOST, OTHER_HOST]) expect((await heartbeat(host)).forget).toEqual([id]);
    expect((await heartbeat()).forget).toEqual([id]);
    await schema.hosts.clearForgotten(HOST, [id]);
    expect((await heartbeat()).forget).toEqual([]);
    expect((await heartbeat(OTHER_HOST)).forget).toEqual([id]);
  });

  test('reaches the logs of calls that a full history has no entry of any more', async () => {
    await open({ historyMax: 1 });
    const lost = await call({ userId: 'ada' });
    await call({ userId: 'bob' });
    expect(await schema.history.read(lost)).toBeUndefined();
    await schema.history.forgetUser('ada');
    for (const host of [HOST, OTHER_HOST]) expect((await heartbeat(host)).forget).toEqual([lost]);
  });

  test('of one client leaves the user of that name of another alone', async () => {
    const mine = await call({ userId: 'ada', userScope: 'k11111111' });
    const theirs = await call({ userId: 'ada', userScope: 'k22222222', key: 'theirs' });
    const open = await call({ userId: 'ada' });
    await schema.history.forgetUser('ada', 'k11111111');
    expect((await entryOf(mine)).forgotten).toBe(true);
    expect((await entryOf(theirs)).forgotten).toBe(false);
    expect(await keys('idempotency*')).toHaveLength(1);
    await schema.history.forgetUser('ada', '');
    expect([(await entryOf(open)).forgotten, (await entryOf(theirs)).forgotten]).toEqual([true, false]);
    expect(await idsOf({ userId: 'ada' })).toEqual([theirs]);
  });

  test('who is in a call: the call goes on, and is forgotten with its end', async () => {
    await open({ transcriptMs: 60_000 });
    const id = await start({ userId: 'ada', userName: 'Ada L', key: 'once' });
    const ref = await launch();
    await say(ref, 'transcript', spoken('secret one'));
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 0, live: 1 });
    expect(await schema.sessions.read(id)).toMatchObject({
      session: { status: 'ready', userId: 'ada', forget: true },
    });
    await say(ref, 'transcript', spoken('secret two'));
    await schema.agents.append(ref, { lines: ['Hello Ada'], events: [] });
    await start({ userId: 'ada', key: 'again' });
    await end(ref);
    const left = await everything();
    for (const word of ['ada', 'Ada', 'secret', 'idempotency']) expect(left).not.toContain(word);
    expect(await entryOf(id)).toMatchObject({ forgotten: true, endReason: 'caller_ended' });
    expect((await heartbeat()).forget).toEqual([id]);
  });

  test('whose start has failed: what is still shown of it is stripped', async () => {
    const id = await start({ userId: 'ada', userName: 'Ada L' });
    await schema.sessions.failLaunch(await commit(), { ...FAILURE, lastLines: ['Hello Ada'] });
    await schema.history.forgetUser('ada');
    expect(await everything()).not.toMatch(/ada/i);
    expect(await schema.sessions.read(id)).toMatchObject({
      session: { status: 'error', error: 'It exited.' },
    });
  });

  test('with many calls, in several steps', async () => {
    const many = Array.from({ length: 250 }, (_, n) => `session_${String(n).padStart(24, 'x')}`);
    const json = JSON.stringify({ userId: 'ada', launches: `1@${HOST}` });
    await redis.command('MSET', ...many.flatMap((id) => [`history:${id}`, json]));
    const members = many.flatMap((id, n) => [n + 1, `${id} ${n % 2 ? 'k11111111' : ''}`]);
    await redis.command('ZADD', 'history:user:ada', ...members);
    expect(await schema.history.forgetUser('ada', 'k11111111')).toMatchObject({ forgotten: 125 });
    expect(await schema.history.forgetUser('ada')).toMatchObject({ forgotten: 125 });
    expect((await heartbeat()).forget).toHaveLength(250);
    expect(await keys('history:user:*')).toEqual([]);
  });
});
