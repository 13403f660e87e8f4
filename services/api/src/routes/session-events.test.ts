import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import {
  type EventStream,
  openEventStream,
  startRedis,
  startTcpProxy,
  type TestRedis,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_UNREAD_BYTES } from '../events/sse-connection.js';
import { OPEN_CLIENT } from '../http/authenticate.js';
import { type ServedApi, serveTestApi } from '../testing/served-api.js';
import { ADMIN_TOKEN, HOST, StandInSpawner } from '../testing/test-api.js';

type Ref = { sessionId: string; generation: number; launch: string };

let redis: TestRedis;
let a: ServedApi;
let b: ServedApi;
let spawner: StandInSpawner;
const open: EventStream[] = [];

beforeAll(async () => {
  redis = await startRedis();
  a = await serveTestApi({ redis });
  b = await serveTestApi({ redis });
});
afterAll(async () => {
  await a.close();
  await b.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(a.schema);
  await spawner.register();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.leave();
});

async function follow(
  sessionId: string,
  {
    api = a,
    lastEventId,
    ...headers
  }: { api?: ServedApi; lastEventId?: string; Authorization?: string } = {},
): Promise<EventStream> {
  const stream = await openEventStream(`${api.baseUrl}/api/session/${sessionId}/events`, {
    ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
    ...headers,
  });
  open.push(stream);
  return stream;
}

async function call(): Promise<Ref> {
  await a.start();
  return spawner.launchNext();
}

function say(ref: Ref, ...texts: string[]) {
  const events = texts.map((text) => ({ type: 'transcript', data: { role: 'user', text, final: true } }));
  return a.schema.agents.append(ref, { lines: [], events });
}

async function end({ sessionId, generation }: Ref) {
  await a.post('/api/session/end', { sessionId });
  await a.schema.sessions.finishEnd(sessionId, generation);
}

const textsOf = (stream: EventStream) =>
  stream.events.filter(({ event }) => event === 'transcript').map(({ data }) => data.text);
const namesOf = (stream: EventStream) => stream.events.map(({ event }) => event);

test('a call from its start to its end, as its holder sees it', async () => {
  const { sessionId } = await a.start({ userName: 'Ann' });
  const stream = await follow(sessionId);
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(stream.response.headers.get('cache-control')).toBe('no-store, no-transform');
  expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
  await waitFor(() => stream.events.length === 1);
  expect(stream.text()).toMatch(/^retry: [12]\d{3}\n\n/);
  const { success, ...view } = (await a.get(`/api/session/${sessionId}`)).body;
  expect(stream.events[0]).toEqual({ id: expect.any(String), event: 'snapshot', data: view });
  expect(success).toBe(true);

  const ref = await spawner.launchNext();
  await a.schema.agents.append(ref, {
    lines: ['a line of the log'],
    events: [
      { type: 'ready', data: {} },
      { type: 'health', data: { status: 'ok' } },
      { type: 'error', data: { message: 'the provider said no' } },
      { type: 'agent_speaking', data: { active: true } },
      { type: 'transcript', data: { role: 'agent', text: 'Hello Ann', final: true } },
    ],
  });
  await end(ref);
  await waitFor(() => stream.isOver());
  const at = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(stream.events.slice(1).map(({ event, data }) => ({ event, ...data }))).toEqual([
    { event: 'state', sessionId, at, status: 'ready', startupTime: 1234 },
    { event: 'agent', sessionId, at, kind: 'agent_speaking', active: true },
    { event: 'transcript', sessionId, at, role: 'agent', text: 'Hello Ann', final: true },
    { event: 'state', sessionId, at, status: 'ending', endReason: 'caller_ended' },
    { event: 'ended', sessionId, endReason: 'caller_ended', endedAt: at, durationMs: expect.any(Number) },
  ]);
  const [epoch] = stream.lastId().split(':');
  expect(epoch).toBe(await redis.command('GET', 'epoch'));
  for (const { id } of stream.events.slice(0, -1)) expect(id).toMatch(new RegExp(`^${epoch}:\\d+-\\d+$`));
});

test('an admin sees every step, with what it noted; a warm agent of nobody exists for admins only', async () => {
  const admin = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const warm = await spawner.warmUp();
  expect((await follow(warm)).response.status).toBe(404);
  const pooled = await follow(warm, admin);
  await waitFor(() => pooled.events.length === 1);
  expect(pooled.events[0]?.data).toMatchObject({ status: 'pooled', host: HOST, generation: 1 });
  await a.start();
  await waitFor(() => pooled.events.length === 2);
  expect(pooled.events[1]?.data).toMatchObject({
    status: 'ready',
    step: 'ready',
    detail: { prewarmed: true },
  });

  const { sessionId } = await a.start();
  const stream = await follow(sessionId, admin);
  const ref = await spawner.launchNext();
  await a.schema.agents.append(ref, {
    lines: [],
    events: [{ type: 'error', data: { message: 'the provider said no' } }],
  });
  await waitFor(() => stream.events.length === 5);
  expect(stream.events.slice(1).map(({ event, data }) => [event, data.step ?? data.kind])).toEqual([
    ['state', 'claimed'],
    ['state', 'spawned'],
    ['state', 'ready'],
    ['agent', 'error'],
  ]);
  expect(stream.events[4]?.data.message).toBe('the provider said no');
});

test('a start that failed for good is told with its reason, and ends the stream', async () => {
  const { sessionId } = await a.start();
  const stream = await follow(sessionId);
  const ref = await spawner.claimNext();
  await a.schema.sessions.failLaunch(ref, {
    error: 'The agent exited with 1.',
    lastLines: ['secret'],
    maxAttempts: 1,
    backoffMs: 1,
    holdoffBaseMs: 1,
    holdoffMaxMs: 1,
  });
  await waitFor(() => stream.isOver());
  expect(stream.events.slice(1)).toMatchObject([
    { event: 'state', data: { status: 'error', error: 'The agent exited with 1.' } },
    { event: 'ended', data: { endReason: 'start_failed' } },
  ]);
  expect(stream.text()).not.toContain('secret');
  const later = await follow(sessionId);
  await waitFor(() => later.isOver());
  expect(namesOf(later)).toEqual(['snapshot', 'ended']);
});

describe('reading on', () => {
  test('across reconnects, from one instance to the other, loses nothing and doubles nothing', async () => {
    const ref = await call();
    const told: string[] = [];
    let stream = await follow(ref.sessionId);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 300; i += 1) await say(ref, `line ${i}`);
      isWriting = false;
    })();
    let reconnects = 0;
    for (;;) {
      await waitFor(() => textsOf(stream).length > 20 || told.length + textsOf(stream).length === 300);
      stream.leave();
      // What was under way when it left does not count: only what it has.
      told.push(...textsOf(stream));
      if (told.length >= 300) break;
      if (isWriting) reconnects += 1;
      const api = stream.response.url.startsWith(a.baseUrl) ? b : a;
      stream = await follow(ref.sessionId, { api, lastEventId: stream.lastId() });
      expect(namesOf(stream)).not.toContain('snapshot');
    }
    await writing;
    expect(reconnects).toBeGreaterThan(1);
    expect(told).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i}`));
  });

  test('an instance that stops ends its streams, and another one goes on where they ended', async () => {
    const ref = await call();
    const first = await follow(ref.sessionId);
    await say(ref, 'one');
    await waitFor(() => textsOf(first).length === 1);
    a.context.streams.endAll();
    await waitFor(() => first.isOver());
    expect(namesOf(first)).not.toContain('ended');
    await say(ref, 'two');
    const second = await follow(ref.sessionId, { api: b, lastEventId: first.lastId() });
    await say(ref, 'three');
    await waitFor(() => textsOf(second).length === 2);
    expect(second.events.map(({ data }) => data.text)).toEqual(['two', 'three']);
  });

  test('within the hour after the end gives the end, and once that is known tells the client to stop', async () => {
    const ref = await call();
    const before = await follow(ref.sessionId);
    await waitFor(() => before.events.length === 1);
    before.leave();
    await end(ref);
    const after = await follow(ref.sessionId, { lastEventId: before.lastId() });
    await waitFor(() => after.isOver());
    expect(after.events).toMatchObject([
      { event: 'ended', data: { sessionId: ref.sessionId, endReason: 'caller_ended' } },
    ]);
    const known = await follow(ref.sessionId, { lastEventId: after.lastId() });
    expect(known.response.status).toBe(204);
    await redis.command('DEL', `ended:${ref.sessionId}`);
    const forgotten = await follow(ref.sessionId, { lastEventId: after.lastId() });
    expect(forgotten.response.status).toBe(404);
  });

  test.each(['nonsense', '5-0', 'none:5-0', '1-abc:5-0', '1-abc:ended'])(
    'from %s, which nobody can go on from, begins with a snapshot',
    async (lastEventId) => {
      const { sessionId } = await call();
      const stream = await follow(sessionId, { lastEventId });
      await waitFor(() => stream.events.length === 1);
      expect(namesOf(stream)).toEqual(['snapshot']);
    },
  );

  test('from an id in the query, for a page that was loaded anew', async () => {
    const ref = await call();
    const first = await follow(ref.sessionId);
    await waitFor(() => first.events.length === 1);
    await say(ref, 'one');
    const url = `${a.baseUrl}/api/session/${ref.sessionId}/events?lastEventId=${first.lastId()}`;
    const second = await openEventStream(url);
    open.push(second);
    await waitFor(() => second.events.length === 1);
    expect(textsOf(second)).toEqual(['one']);
  });
});

describe('when Redis', () => {
  test('loses its data, the stream stays open and begins anew with a snapshot when the session is there again', async () => {
    const ref = await call();
    const { agentPid: pid = 0, ...session } = await liveSession(ref);
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    await redis.command('FLUSHALL');
    const { recovery = 0 } = await beat();
    await a.schema.sessions.publishLaunch(ref, HOST, { ...session, agentPid: pid }, undefined);
    // As if two heartbeats were over.
    const number = recovery - 20_000;
    await redis.command('HSET', 'recovery', 'startedAt', number);
    expect(namesOf(stream)).not.toContain('ended');
    expect((await beat(number)).epoch).toBeDefined();
    await waitFor(() => namesOf(stream).filter((name) => name === 'snapshot').length >= 2);
    await waitFor(async () => stream.lastId().startsWith(`${String(await redis.command('GET', 'epoch'))}:`));
    expect(stream.events.at(-1)).toMatchObject({ event: 'snapshot', data: { status: 'ready' } });
    const published = { ...ref, generation: (await liveSession(ref)).generation };
    await say(published, 'still here');
    await waitFor(() => textsOf(stream).length === 1);
    const older = await follow(ref.sessionId, { lastEventId: stream.events[0]?.id ?? '' });
    await waitFor(() => older.events.length === 1);
    expect(namesOf(older)).toEqual(['snapshot']);
  });

  test('is away, the stream stays open, and goes on without loss at its return', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port });
    const c = await serveTestApi({
      redis,
      env: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
      eventStreams: { heartbeatMs: 100 },
    });
    try {
      const ref = await call();
      const stream = await follow(ref.sessionId, { api: c });
      await waitFor(() => stream.events.length === 1);
      proxy.drop();
      await say(ref, 'one', 'two');
      const beats = () => stream.text().split(': still here').length;
      const before = beats();
      await waitFor(() => beats() > before + 2);
      expect(stream.isOver()).toBe(false);
      expect(textsOf(stream)).toEqual([]);
      proxy.release();
      await waitFor(() => textsOf(stream).length === 2, { timeoutMs: 5000 });
      await say(ref, 'three');
      await waitFor(() => textsOf(stream).length === 3);
      expect(textsOf(stream)).toEqual(['one', 'two', 'three']);
      const refused = await follow(ref.sessionId, { api: c, lastEventId: stream.lastId() });
      expect(refused.response.status).toBe(200);
    } finally {
      await c.close();
      await proxy.stop();
    }
  });

  test('drops the connection that tells us, what was missed is read', async () => {
    const ref = await call();
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    for (let i = 0; i < 3; i += 1) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await say(ref, `line ${i}`);
      await waitFor(() => textsOf(stream).length === i + 1, { timeoutMs: 3000 });
    }
    expect(textsOf(stream)).toEqual(['line 0', 'line 1', 'line 2']);
  });
});

describe('an entry that nobody was told of', () => {
  const silently = (ref: Ref, text: string) =>
    redis.command(
      'XADD',
      `stream:${ref.sessionId}`,
      '*',
      'type',
      'transcript',
      'data',
      JSON.stringify({ role: 'user', text, final: true }),
    );

  test('is read before the next one', async () => {
    const ref = await call();
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    await silently(ref, 'one');
    await say(ref, 'two');
    await waitFor(() => textsOf(stream).length === 2);
    expect(textsOf(stream)).toEqual(['one', 'two']);
  });

  test('is found by the look that comes with the heartbeat, and so is the end', async () => {
    const c = await serveTestApi({ redis, eventStreams: { heartbeatMs: 100 } });
    try {
      const ref = await call();
      const stream = await follow(ref.sessionId, { api: c });
      await waitFor(() => stream.events.length === 1);
      await silently(ref, 'one');
      await waitFor(() => textsOf(stream).length === 1);
      expect(stream.text()).toContain('\n\n: still here\n\n');
      await redis.command('DEL', `session:${ref.sessionId}`, `stream:${ref.sessionId}`);
      await waitFor(() => stream.isOver());
    } finally {
      await c.close();
    }
  });
});

describe('a slow reader', () => {
  /** Takes nothing until it is told to. */
  function connectSlowly(api: ServedApi, path: string, lastEventId = '') {
    const socket = connect({ port: Number(new URL(api.baseUrl).port), host: '127.0.0.1' });
    let text = '';
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${lastEventId}\r\n\r\n`);
    socket.pause();
    return {
      take: () => void socket.on('data', (chunk) => (text += chunk.toString())).resume(),
      text: () => text,
      isClosed: () => isClosed,
      leave: () => socket.destroy(),
    };
  }

  const LINES = 1600;
  const lineOf = (i: number) => `${i} ${createHash('sha512').update(String(i)).digest('hex').repeat(30)}`;
  /** The numbers of the lines in what came, chunk headers and all. */
  const numbersIn = (text: string) => [...text.matchAll(/"text":"(\d+) /g)].map(([, n]) => Number(n));

  async function flood(ref: Ref): Promise<void> {
    for (let i = 0; i < LINES; i += 40) {
      await say(ref, ...Array.from({ length: 40 }, (_, j) => lineOf(i + j)));
    }
  }

  test('costs a bounded amount of memory, and loses nothing', async () => {
    const ref = await call();
    const slow = connectSlowly(a, `/api/session/${ref.sessionId}/events`);
    await waitFor(() => a.context.streams.size === 1);
    const response = a.responses.at(-1);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, response?.writableLength ?? 0);
    }, 1);
    const quick = await follow(ref.sessionId);
    await flood(ref);
    await waitFor(() => textsOf(quick).length === LINES);
    // More than 6 MB were said; what the kernel takes is not ours.
    await waitFor(() => most > MAX_UNREAD_BYTES);
    slow.take();
    await waitFor(() => numbersIn(slow.text()).length === LINES);
    clearInterval(watch);
    expect(most).toBeLessThan(MAX_UNREAD_BYTES + 16 * 1024);
    slow.leave();
    expect(numbersIn(slow.text())).toEqual(Array.from({ length: LINES }, (_, i) => i));
  });

  test('that takes nothing is cut off, and reads on from where it was', async () => {
    const c = await serveTestApi({ redis, eventStreams: { stallLimitMs: 200 } });
    try {
      const ref = await call();
      const slow = connectSlowly(c, `/api/session/${ref.sessionId}/events`);
      await waitFor(() => c.context.streams.size === 1);
      await flood(ref);
      await waitFor(() => c.context.streams.size === 0);
      slow.take();
      await waitFor(() => slow.isClosed());
      const whole = slow.text().slice(0, slow.text().lastIndexOf('\n\n'));
      const had = numbersIn(whole);
      expect(had.length).toBeGreaterThan(0);
      expect(had.length).toBeLessThan(LINES);
      const lastEventId = [...whole.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
      const again = await follow(ref.sessionId, { api: c, lastEventId });
      await waitFor(() => had.length + textsOf(again).length >= LINES);
      const numbers = [...had, ...textsOf(again).map((text) => Number.parseInt(text, 10))];
      expect(numbers).toEqual(Array.from({ length: LINES }, (_, i) => i));
    } finally {
      await c.close();
    }
  });
});

test('any number of readers costs Redis nothing: what they are told was handed out by the step', async () => {
  const refs: Ref[] = [];
  for (let i = 0; i < 10; i += 1) refs.push(await call());
  const streams: EventStream[] = [];
  for (let i = 0; i < 60; i += 1) {
    streams.push(await follow(refs[i % 10]?.sessionId ?? '', { api: i % 2 === 0 ? a : b }));
  }
  await waitFor(() => streams.every(({ events }) => events.length === 1));
  expect((await a.get('/metrics')).text).toMatch(/^greenroom_open_streams\{.*\} 30$/m);
  const before = await stepsTaken();
  for (const ref of refs) await say(ref, 'one');
  await waitFor(() => streams.every((stream) => textsOf(stream).length === 1));
  expect((await stepsTaken()) - before).toBe(10);
  for (const stream of streams) stream.leave();
  await waitFor(() => a.context.streams.size === 0 && b.context.streams.size === 0);
  await waitFor(async () => {
    const channels = (await redis.command('PUBSUB', 'CHANNELS', 'events:session*')) as string[];
    return channels.length === 0;
  });
});

test('a client that has too many streams open is refused another', async () => {
  const { sessionId } = await a.start();
  const leave = Array.from({ length: 100 }, () =>
    a.context.streams.open(OPEN_CLIENT, '127.0.0.1', () => undefined),
  );
  const refused = await follow(sessionId);
  expect(refused.response.status).toBe(429);
  expect(refused.response.headers.get('retry-after')).toBe('10');
  for (const step of leave) step();
  expect((await follow(sessionId)).response.status).toBe(200);
});

test('HEAD and unknown sessions do not stream', async () => {
  const { sessionId } = await a.start();
  const head = await fetch(`${a.baseUrl}/api/session/${sessionId}/events`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  for (const id of ['x', 'session_aaaaaaaaaaaaaaaaaaaaaaaa']) {
    expect((await a.get(`/api/session/${id}/events`)).body.code).toBe('session_not_found');
  }
  expect((await a.get(`/api/session/${sessionId}/events?tail=1`)).body.code).toBe('invalid_request');
  await waitFor(() => a.context.streams.size === 0);
});

async function stepsTaken(): Promise<number> {
  const stats = String(await redis.command('INFO', 'commandstats'));
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((sum, count) => sum + count, 0);
}

async function liveSession({ sessionId }: Ref) {
  const result = await a.schema.sessions.read(sessionId);
  if (result.status !== 'live') throw new Error(result.status);
  return result.session;
}

function beat(published?: number) {
  return a.schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
    published,
  });
}

test('what becomes of silence is told to the holder, and stands in the history, without words', async () => {
  const ref = await call();
  const stream = await follow(ref.sessionId);
  const { sessionId } = ref;
  const state = {};
  await b.schema.calls.open({
    callId: sessionId,
    sessionId,
    medium: 'livekit',
    state,
    settings: {},
    dueAt: undefined,
  });
  await b.schema.calls.change(sessionId, () => ({
    state,
    dueAt: undefined,
    actions: [{ kind: 'say', commandId: 'checkin-1', text: 'Are you well?', purpose: 'checkin' }],
    steps: [{ name: 'checkin', detail: { number: 1, of: 2 } }],
  }));
  const told = await waitFor(() => stream.events.find(({ event }) => event === 'dead_air'));
  expect(told.data).toMatchObject({ sessionId, step: 'checkin', number: 1, of: 2, at: expect.any(String) });
  await end(ref);
  const { body } = await a.adminGet(`/api/session/${sessionId}/history`);
  expect(body.deadAir).toEqual([{ step: 'checkin', at: expect.any(String) }]);
  expect(JSON.stringify(body)).not.toContain('Are you well');
});
