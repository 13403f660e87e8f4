import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import type { StreamMessage, StreamPosition } from './index.js';
import {
  addHost,
  end,
  heartbeat,
  launch,
  redis,
  refill,
  schema,
  startedId,
  useRedis,
} from './testing/steps.js';

const SILENT_MS = 16_000;

useRedis(() => addHost('a', { poolTarget: 1 }));

/** A call of one user. */
function start(userId = 'ann'): Promise<string> {
  return startedId({ userId });
}

function say(ref: { sessionId: string; generation: number }, ...texts: string[]) {
  const events = texts.map((text) => ({ type: 'transcript', data: { role: 'user', text, final: true } }));
  return schema.agents.append(ref, { lines: [], events });
}

async function snapshotOf(sessionId: string): Promise<StreamPosition> {
  const page = await schema.events.readSession(sessionId, undefined, 100);
  if (page.status !== 'snapshot') throw new Error(`no snapshot: ${page.status}`);
  return page.position;
}

async function follow(sessionId: string | undefined) {
  const messages: StreamMessage[] = [];
  await schema.events.follow(sessionId, (message) => void messages.push(message));
  return messages;
}

/** Everything that admins were told so far. */
/** Since the statistics were reset: bytes that Redis sent, steps it took, and how often one read a few entries backwards. */
async function costOf(): Promise<{ out: number; steps: number; readings: number }> {
  const [stats, commands] = await Promise.all(
    ['stats', 'commandstats'].map(async (section) => String(await redis.command('INFO', section))),
  );
  const callsOf = (name: string) =>
    Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(commands ?? '')?.[1]);
  const out = Number(/^total_net_output_bytes:(\d+)/m.exec(stats ?? '')?.[1]);
  return { out, steps: callsOf('evalsha'), readings: callsOf('xrevrange') };
}

async function told(): Promise<Record<string, unknown>[]> {
  const all = (await redis.command('XRANGE', 'events', '-', '+')) as [string, string[]][];
  return all.map(([, fields]) => ({ kind: fields[1], ...JSON.parse(fields[3] ?? '') }));
}

describe('a session’s stream', () => {
  test('hands each step and each agent event to followers, and gives the same to whoever reads it', async () => {
    const sessionId = await start();
    const before = await snapshotOf(sessionId);
    const messages = await follow(sessionId);
    const ref = await launch('a');
    await say(ref, 'one', 'two');
    await waitFor(() => messages.length === 4);
    const heard = messages.flatMap((message) => message.entries ?? []);
    expect(heard.map(({ type, status }) => [type, status])).toEqual([
      ['claimed', 'starting'],
      ['spawned', 'starting'],
      ['ready', 'ready'],
      ['transcript', 'ready'],
      ['transcript', 'ready'],
    ]);
    expect(heard.at(-1)?.data).toEqual({ role: 'user', text: 'two', final: true });
    // Each message follows on the one before: none is missing.
    expect(messages.map(({ after }) => after)).toEqual([
      before.id,
      ...messages.slice(0, -1).map(({ last }) => last),
    ]);
    expect(await schema.events.readSession(sessionId, before, 100)).toMatchObject({
      status: 'entries',
      entries: heard,
    });
  });

  test('is read page by page', async () => {
    const sessionId = await start();
    const before = await snapshotOf(sessionId);
    const ref = await launch('a');
    await say(ref, ...Array.from({ length: 700 }, (_, i) => `line ${i}`));
    const texts: unknown[] = [];
    for (let position = before, pages = 0; ; pages += 1) {
      const page = await schema.events.readSession(sessionId, position, 100);
      if (page.status !== 'entries') throw new Error(page.status);
      const last = page.entries.at(-1);
      if (last === undefined) break;
      texts.push(...page.entries.filter(({ type }) => type === 'transcript').map(({ data }) => data.text));
      position = { ...position, id: last.id };
      expect(pages).toBeLessThan(9);
    }
    expect(texts).toEqual(Array.from({ length: 700 }, (_, i) => `line ${i}`));
  });

  test('is read back from its newest entry, by short steps, however long its entries are', async () => {
    const sessionId = await start();
    const ref = await launch('a');
    const texts = Array.from({ length: 300 }, (_, i) => `${i} ${'é'.repeat(i % 2 === 0 ? 3_000 : 3)}`);
    await say(ref, ...texts);
    const messages = await follow(sessionId);
    await redis.command('CONFIG', 'RESETSTAT');
    const reading = schema.events.readTimeline(sessionId);
    await say(ref, 'later');
    const page = await reading;
    if (page.status !== 'live') throw new Error(page.status);
    const said = page.entries.filter(({ type }) => type === 'transcript');
    expect(said.map(({ data }) => data.text)).toEqual(texts);
    expect(page.isCut).toBe(false);
    // Whoever goes on from there misses nothing, and hears nothing twice.
    expect(page.position.id).toBe(said.at(-1)?.id);
    await waitFor(() => messages.length === 1);
    expect(messages[0]?.after).toBe(page.position.id);
    const { out, steps, readings } = await costOf();
    expect(out / steps).toBeLessThan(130 * 1024);
    expect(steps).toBeGreaterThan(10);
    // What is read and not sent costs as much as what is: no step reads more than a few entries that it leaves to the next.
    expect(readings * 8).toBeLessThan(300 + steps * 8);
  });

  test('that goes while it is read back is not taken for all there was', async () => {
    const sessionId = await start();
    const ref = await launch('a');
    await say(ref, ...Array.from({ length: 300 }, (_, i) => `line ${i}`));
    const reading = schema.events.readTimeline(sessionId);
    await end(ref);
    expect(await reading).toMatchObject({ status: 'ended', ended: { endReason: 'caller_ended' } });
  });

  test('of a flood, followers are only told to read: no message fills the buffers of Redis', async () => {
    const sessionId = await start();
    const ref = await launch('a');
    const messages = await follow(sessionId);
    await say(ref, ...Array.from({ length: 400 }, () => 'x'.repeat(1000)));
    await waitFor(() => messages.length === 1);
    expect(messages[0]).toMatchObject({ entries: undefined, ended: undefined });
    expect(messages[0]?.last).toBe((await snapshotOf(sessionId)).id);
  });

  test('ends with what is remembered of the end, though its keys go in the same step', async () => {
    const sessionId = await start();
    const ref = await launch('a');
    const messages = await follow(sessionId);
    const { id } = await snapshotOf(sessionId);
    await end(ref);
    await waitFor(() => messages.length === 2);
    expect(messages[0]).toMatchObject({ after: id, entries: [{ type: 'ending', status: 'ending' }] });
    expect(messages[1]).toMatchObject({
      after: messages[0]?.last,
      entries: [],
      ended: { endReason: 'caller_ended', endedBy: 'caller' },
    });
    expect(await redis.command('EXISTS', `stream:${sessionId}`)).toBe(0);
    const { endedAt } = messages[1]?.ended ?? {};
    expect(await schema.events.readSession(sessionId, undefined, 100)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'caller_ended', endedAt },
    });
  });

  test('of a start that failed for good ends too, while the session is kept with its reason', async () => {
    const sessionId = await start();
    const messages = await follow(sessionId);
    const claim = await schema.sessions.claim({ host: 'a', launch: 'l', hostCapacity: 1, includePool: true });
    if (claim.status !== 'claimed') throw new Error(claim.status);
    await schema.sessions.failLaunch(
      { sessionId, generation: 1, launch: 'l' },
      { error: 'broke', lastLines: [], maxAttempts: 1, backoffMs: 1, holdoffBaseMs: 1, holdoffMaxMs: 1 },
    );
    await waitFor(() => messages.length === 3);
    expect(messages[1]?.entries).toMatchObject([
      { type: 'error', status: 'error', data: { error: 'broke' } },
    ]);
    expect(messages[2]?.ended).toMatchObject({ endReason: 'start_failed' });
    expect(await schema.events.readSession(sessionId, undefined, 9)).toMatchObject({
      status: 'snapshot',
      session: { status: 'error', error: 'broke' },
      ended: { endReason: 'start_failed' },
    });
  });

  test('cannot be gone on with from another life of the data, nor from an entry that is not there', async () => {
    const sessionId = await start();
    const { epoch, id } = await snapshotOf(sessionId);
    const read = async (position: StreamPosition) =>
      (await schema.events.readSession(sessionId, position, 9)).status;
    expect(await read({ epoch, id })).toBe('entries');
    expect(await read({ epoch: '1-abc', id })).toBe('snapshot');
    expect(await read({ epoch: undefined, id })).toBe('snapshot');
    expect(await read({ epoch, id: '5-0' })).toBe('snapshot');
    await launch('a');
    await redis.command('XTRIM', `stream:${sessionId}`, 'MAXLEN', 1);
    expect(await read({ epoch, id })).toBe('snapshot');
  });
});

describe('the stream of all', () => {
  test('tells every step of every session, and never what people say', async () => {
    const messages = await follow(undefined);
    await start();
    const ref = await launch('a');
    await say(ref, 'my knee hurts');
    await end(ref);
    const sessions = (await told()).filter(({ kind }) => kind === 'session');
    expect(sessions.map(({ step, status }) => [step, status])).toEqual([
      ['starting', 'starting'],
      ['claimed', 'starting'],
      ['spawned', 'starting'],
      ['ready', 'ready'],
      ['ending', 'ending'],
      ['ended', 'gone'],
    ]);
    expect(sessions[3]).toMatchObject({
      sessionId: ref.sessionId,
      userId: 'ann',
      host: 'a',
      warm: false,
    });
    expect(JSON.stringify(await told())).not.toContain('knee');
    await waitFor(() => messages.at(-1)?.entries?.[0]?.data.step === 'ended');
    expect(JSON.stringify(messages)).not.toContain('knee');
  });

  test('tells a pool’s counts once for each step that changes them', async () => {
    const pools = async () => (await told()).filter(({ kind }) => kind === 'pool');
    expect(await pools()).toEqual([{ kind: 'pool', profile: 'default', target: 1, ready: 0, warming: 0 }]);
    await schema.pools.resize('default', 3);
    await refill(3);
    await launch('a');
    await start();
    await schema.pools.resize('default', 0);
    expect((await pools()).slice(1)).toMatchObject([
      { target: 3, ready: 0, warming: 0 },
      { target: 3, ready: 0, warming: 3 },
      { target: 3, ready: 1, warming: 2 },
      { target: 3, ready: 0, warming: 2 },
      { target: 0, ready: 0, warming: 0 },
    ]);
  });

  test('tells of a host when its state changes, and not with each heartbeat', async () => {
    const hosts = async () =>
      (await told()).filter(({ kind }) => kind === 'host').map(({ host, state }) => [host, state]);
    await addHost('b');
    await heartbeat('b');
    await heartbeat('b', { draining: true });
    await heartbeat('b', { draining: true });
    await redis.command('ZADD', 'hosts', Date.now() - SILENT_MS, 'b');
    await heartbeat('a');
    await heartbeat('a');
    await heartbeat('b');
    await schema.hosts.remove('b', { hasCalls: false });
    expect((await hosts()).join(' ')).toBe('a,up b,up b,draining b,unreachable b,up b,removed');
    expect(await redis.command('EXISTS', 'host:b')).toBe(0);
  });

  test('a host that falls silent while no other is there is told by an api that looks', async () => {
    await redis.command('ZADD', 'hosts', Date.now() - SILENT_MS, 'a');
    await schema.events.findStale([]);
    expect((await told()).at(-1)).toEqual({ kind: 'host', host: 'a', state: 'unreachable' });
  });

  test('begins with everything as it is, and goes on from there', async () => {
    const sessionId = await start();
    const page = await schema.events.readAll(undefined, { limit: 10, maxSessions: 10 });
    if (page.status !== 'snapshot') throw new Error(page.status);
    expect(page).toMatchObject({
      sessions: [{ id: sessionId, status: 'starting' }],
      isCut: false,
      pools: [{ profile: 'default', target: 1 }],
      hosts: [{ id: 'a', state: 'up', capacity: 60 }],
    });
    await start('bob');
    const next = await schema.events.readAll(page.position, { limit: 10, maxSessions: 10 });
    expect(next).toMatchObject({
      status: 'entries',
      entries: [{ type: 'session', data: { userId: 'bob' } }],
    });
    const cut = await schema.events.readAll(undefined, { limit: 10, maxSessions: 1 });
    expect(cut).toMatchObject({ isCut: true, sessions: [{ userId: 'bob' }] });
  });

  test('keeps a bounded number of entries', async () => {
    const flood = `for i = 1, 9000 do redis.call('XADD', KEYS[1], '*', 'type', 'session', 'data', '{}') end`;
    await redis.command('EVAL', flood, 1, 'events');
    await start();
    expect(Number(await redis.command('XLEN', 'events'))).toBeLessThan(5200);
  });
});

test('readers that missed a message, whose session is gone, or that know another life are found in one look', async () => {
  const [a, b, c, d] = [await start('a'), await start('b'), await start('c'), await start('d')];
  const readers = await Promise.all(
    [a, b, c, d].map(async (sessionId) => ({ sessionId, position: await snapshotOf(sessionId) })),
  );
  expect(await schema.events.findStale(readers)).toEqual([]);
  await launch('a');
  await redis.command('DEL', `session:${b}`);
  const foreign = { sessionId: c, position: { ...(await snapshotOf(c)), epoch: '1-abc' } };
  const all = { sessionId: undefined, position: { ...(await snapshotOf(c)), id: '5-0' } };
  expect(await schema.events.findStale([...readers, foreign, all])).toEqual([
    readers[0],
    readers[1],
    foreign,
    all,
  ]);
});

test('a new life of the data is told', async () => {
  let lives = 0;
  await schema.events.onNewLife(() => {
    lives += 1;
  });
  await redis.command('FLUSHALL');
  await addHost('a', { poolTarget: 1 });
  await waitFor(() => lives === 1);
});

test('steps that free memory tell of it when Redis is full', async () => {
  await start();
  const ref = await launch('a');
  const messages = await follow(ref.sessionId);
  await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
  try {
    await end(ref);
    await waitFor(() => messages.at(-1)?.ended !== undefined);
    expect((await told()).at(-1)).toMatchObject({ step: 'ended' });
  } finally {
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  }
});
