import { type EventStream, openEventStream, startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
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

const shortly = (stream: EventStream) =>
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
