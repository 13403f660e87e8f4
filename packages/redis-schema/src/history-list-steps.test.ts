import { describe, expect, test } from '@jest/globals';
import {
  call,
  end,
  entryOf,
  idsOf,
  keep,
  keys,
  launch,
  OTHER_HOST,
  say,
  spoken,
  startCall,
  useHistory,
} from './testing/history.js';
import { HOST, redis, schema } from './testing/steps.js';

useHistory();

const REPLACED_BY_LIST = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'x')";

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

  test('more ends in one millisecond than a page looks at are listed to the last', async () => {
    const kept = await redis.command('GET', `history:${await call()}`);
    const at = Math.round(schema.clock.now()) + 1000;
    const many = Array.from({ length: 1_100 }, (_, n) => `session_${n}`);
    await redis.command('MSET', ...many.flatMap((id) => [`history:${id}`, String(kept)]));
    await redis.command('ZADD', 'history', ...many.flatMap((id) => [at, id]));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await schema.history.list({}, { limit: 200, cursor });
      seen.push(...page.entries.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(1_101);
    expect(new Set(seen).size).toBe(1_101);
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
      await keep({ historyMax: 1 });
      const last = await call();
      expect(await idsOf()).toEqual([last]);
      expect(await keys(`history:${spoilt}`)).toEqual([]);
    },
  );

  test('is capped by count: the oldest go, with their transcripts', async () => {
    await keep({ historyMax: 3, transcriptMs: 60_000 });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const id = await startCall({ userId: 'ada' });
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
    await keep({ historyMs: 60_000, logMs: 0 });
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
      await startCall({ userId: 'ann', key: `key-${i}` });
      // A day later.
      await redis.command('DEL', `idempotency:test:key-${i}`);
    }
    expect(Number(await redis.command('SCARD', 'user:ann:kept'))).toBeLessThan(30);
  });

  test.each([{ historyMax: 0 }, { historyMs: 0 }])('is not kept at all with %j', async (none) => {
    await keep({ ...none, transcriptMs: 60_000 });
    const id = await startCall();
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
    const id = await startCall({ userId: 'a-user-of-usual-length', userName: 'Ada Lovelace' });
    const ref = await launch();
    const lines = Array.from({ length: 20 }, (_, n) => `2026-01-01 12:00:00 INFO step ${n} of the agent`);
    await schema.agents.append(ref, { lines, events: [{ type: 'agent_speaking', data: { active: true } }] });
    await schema.sessions.renew(ref, 60_000, { rss: '150000000', cpu: '12.50' });
    await end(ref);
    expect(Number(await redis.command('MEMORY', 'USAGE', `history:${id}`))).toBeLessThan(1536);
  });
});
