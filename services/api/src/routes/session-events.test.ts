import { type EventStream, waitFor } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';
import { OPEN_CLIENT } from '../http/authenticate.js';
import {
  a,
  b,
  call,
  end,
  follow,
  namesOf,
  redis,
  type Ref,
  say,
  spawner,
  textsOf,
  useTwoApis,
} from '../testing/session-streams.js';
import { ADMIN_TOKEN, HOST } from '../testing/test-api.js';

useTwoApis();

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
