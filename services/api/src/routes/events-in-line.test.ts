import { connect } from 'node:net';
import {
  type EventStream,
  openEventStream,
  type ReceivedEvent,
  startRedis,
  type TestRedis,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ServedApi, serveTestApi } from '../testing/served-api.js';
import { StandInSpawner } from '../testing/test-api.js';

let redis: TestRedis;
let api: ServedApi;
let spawner: StandInSpawner;
let call: { sessionId: string; generation: number };
const open: EventStream[] = [];

beforeAll(async () => {
  redis = await startRedis();
  api = await serveTestApi({ redis, env: { MAX_SESSIONS: '1' }, eventStreams: { heartbeatMs: 200 } });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
  const { sessionId } = await api.start();
  await spawner.launchNext();
  call = { sessionId, generation: 1 };
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.leave();
});

async function follow(sessionId: string, lastEventId = ''): Promise<EventStream> {
  const url = `${api.baseUrl}/api/session/${sessionId}/events`;
  const stream = await openEventStream(url, lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId });
  open.push(stream);
  await waitFor(() => stream.events.length > 0);
  return stream;
}

async function end({ sessionId, generation }: { sessionId: string; generation: number }) {
  await api.post('/api/session/end', { sessionId });
  await api.schema.sessions.finishEnd(sessionId, generation);
}

function say(sessionId: string, text: string) {
  const events = [{ type: 'transcript', data: { role: 'user', text, final: true } }];
  return api.schema.agents.append({ sessionId, generation: 1 }, { lines: [], events });
}

const shortly = (stream: { readonly events: readonly ReceivedEvent[] }) =>
  stream.events.map(({ event, data }) =>
    [event, data.status, data.position, data.text].filter((it) => it !== undefined).join(' '),
  );

test('who waits in line is told its place and each change of it, and its session when its turn comes', async () => {
  const first = (await api.start()).sessionId;
  const second = (await api.start()).sessionId;
  const [one, two] = [await follow(first), await follow(second)];
  expect(one.events[0]).toMatchObject({
    event: 'snapshot',
    data: { status: 'queued', position: 1, roomName: null, estimatedWaitMs: expect.any(Number) },
  });
  expect(one.events[0]?.data.estimatedWait).toMatch(/^[\d.]+ m?s$/);
  await end(call);
  await waitFor(() => two.events.length === 2);
  expect(shortly(two)).toEqual(['snapshot queued 2', 'state queued 1']);
  expect(two.events[1]?.data.estimatedWaitMs).toEqual(expect.any(Number));
  await waitFor(() => one.events.length === 2);
  await spawner.launchNext();
  await waitFor(() => one.events.length === 3);
  expect(shortly(one)).toEqual(['snapshot queued 1', 'state starting', 'state ready']);
});

test('who waits for agents that nobody can start is told so, and when somebody can', async () => {
  const { sessionId } = await api.start();
  const stream = await follow(sessionId);
  const look = () => api.schema.sessions.admit({ maxSessions: 1 });
  const drain = (draining: string) => redis.command('HSET', 'host:host-a', 'draining', draining);
  await drain('1');
  await look();
  await waitFor(() => stream.events.length === 2);
  expect(stream.events[1]).toMatchObject({
    event: 'state',
    data: { status: 'queued', blockedBy: 'no_host' },
  });
  expect((await api.get(`/api/session/${sessionId}`)).body).toMatchObject({
    position: 1,
    blockedBy: 'no_host',
  });
  await drain('0');
  await look();
  await waitFor(() => stream.events.length === 3);
  expect(stream.events[2]?.data).toEqual(expect.not.objectContaining({ blockedBy: expect.anything() }));
  expect((await api.get(`/api/session/${sessionId}`)).body.blockedBy).toBeUndefined();
});

test('whose turn brings a warm agent follows it on the same stream, under its id, to its end', async () => {
  const waiting = (await api.start()).sessionId;
  const before = await follow(waiting);
  const stream = await follow(waiting);
  before.leave();
  const warm = await spawner.warmUp();
  await end(call);
  await waitFor(() => stream.events.length === 3);
  expect(stream.events.slice(1)).toMatchObject([
    { event: 'promoted', data: { sessionId: warm } },
    { event: 'snapshot', data: { sessionId: warm, status: 'ready', prewarmed: true, queuedAs: waiting } },
  ]);
  await say(warm, 'hello');
  await waitFor(() => stream.events.length === 4);

  // Who was away at that moment hears of it first; who knows it already goes on where it was.
  const late = await follow(waiting, before.lastId());
  const known = await follow(waiting, stream.events[2]?.id);
  const anew = await follow(waiting);
  await say(warm, 'are you there');
  await waitFor(() =>
    [late, known, anew].every(({ events }) => events.at(-1)?.data.text === 'are you there'),
  );
  expect(shortly(late)).toEqual(['promoted', 'snapshot ready', 'transcript are you there']);
  expect(shortly(known)).toEqual(['transcript hello', 'transcript are you there']);
  expect(shortly(anew)).toEqual(['snapshot ready', 'transcript are you there']);

  await end({ sessionId: warm, generation: 1 });
  await waitFor(() => stream.isOver() && late.isOver());
  expect(stream.events.at(-1)).toMatchObject({ event: 'ended', data: { sessionId: warm } });
  const after = await follow(waiting, known.events[0]?.id);
  expect(shortly(after)).toEqual(['ended']);
});

test('a stream that is open keeps the place in line', async () => {
  const { sessionId } = await api.start();
  const stream = await follow(sessionId);
  const asked = async () => Number(await redis.command('ZSCORE', 'line:asked', sessionId));
  // As if it had not asked for nearly as long as it may.
  const longAgo = Date.now() - 25_000;
  await redis.command('ZADD', 'line:asked', longAgo, sessionId);
  await waitFor(async () => (await asked()) > longAgo + 20_000);
  stream.leave();
  await waitFor(() => api.context.streams.size === 0);
  await redis.command('ZADD', 'line:asked', longAgo, sessionId);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await asked()).toBe(longAgo);
});

test('who leaves the line is told so', async () => {
  const { sessionId } = await api.start();
  const stream = await follow(sessionId);
  await api.post('/api/session/end', { sessionId });
  await waitFor(() => stream.isOver());
  expect(stream.events.at(-1)).toMatchObject({ event: 'ended', data: { endReason: 'caller_ended' } });
});

describe('a stream in line ends now and then', () => {
  let brief: ServedApi;
  beforeAll(async () => {
    const eventStreams = { heartbeatMs: 100, lineStreamMs: 300 };
    brief = await serveTestApi({ redis, env: { MAX_SESSIONS: '1' }, eventStreams });
  });
  afterAll(() => brief.close());

  const asked = async (id: string) => Number(await redis.command('ZSCORE', 'line:asked', id));

  test('so a peer that vanished without a word asks no longer, and loses the place', async () => {
    const { sessionId } = await brief.start();
    const next = (await brief.start()).sessionId;
    const waiting = await follow(next);
    const { port } = new URL(brief.baseUrl);
    // Takes nothing and never closes: what the kernel keeps for it is all that it gets.
    const vanished = connect({ port: Number(port), host: '127.0.0.1' }).pause();
    vanished.on('error', () => undefined);
    vanished.write(`GET /api/session/${sessionId}/events HTTP/1.1\r\nHost: api\r\n\r\n`);
    await waitFor(() => brief.context.streams.size === 1);
    await waitFor(() => brief.context.streams.size === 0);
    const longAgo = Date.now() - 25_000;
    await redis.command('ZADD', 'line:asked', longAgo, sessionId);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await asked(sessionId)).toBe(longAgo);
    await redis.command('ZADD', 'line:asked', longAgo - 6_000, sessionId);
    await waitFor(() => waiting.events.length === 2);
    expect(shortly(waiting)).toEqual(['snapshot queued 2', 'state queued 1']);
    expect((await brief.get(`/api/session/${sessionId}`)).body.endReason).toBe('line_abandoned');
    vanished.destroy();
  });

  test('and who comes back reads on: nothing is lost, nothing comes twice', async () => {
    const ahead = (await brief.start()).sessionId;
    const { sessionId } = await brief.start();
    const events: ReceivedEvent[] = [];
    let streams = 0;
    const readOn = async () => {
      for (; events.at(-1)?.event !== 'ended'; streams += 1) {
        const headers = events.length === 0 ? {} : { 'Last-Event-ID': events.at(-1)?.id ?? '' };
        const stream = await openEventStream(`${brief.baseUrl}/api/session/${sessionId}/events`, headers);
        open.push(stream);
        await waitFor(() => stream.isOver(), { timeoutMs: 20_000 });
        events.push(...stream.events);
      }
    };
    const reading = readOn();
    await waitFor(() => streams === 2);
    await brief.post('/api/session/end', { sessionId: ahead });
    await waitFor(() => streams === 4);
    await end(call);
    await spawner.launchNext();
    // It is in line no longer: this one stays open.
    const before = streams;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(streams - before).toBeLessThanOrEqual(1);
    await end({ sessionId, generation: 1 });
    await reading;
    expect(shortly({ events })).toEqual([
      'snapshot queued 2',
      'state queued 1',
      'state starting',
      'state ready',
      'state ending',
      'ended',
    ]);
  });
});
