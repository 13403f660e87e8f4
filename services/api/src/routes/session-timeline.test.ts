import { openEventStream, startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ADMIN_TOKEN, StandInSpawner } from '../testing/test-api.js';
import { type ServedApi, serveTestApi } from '../testing/served-api.js';

let redis: TestRedis;
let api: ServedApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await serveTestApi({ redis, env: { MAX_SESSIONS: '1' } });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
});

interface Entry {
  event: string;
  data: Record<string, unknown>;
}

async function timelineOf(id: string) {
  const { status, body } = await api.adminGet(`/api/session/${id}/timeline`);
  return { status, body, entries: (body.entries ?? []) as Entry[] };
}

const stepsOf = (entries: Entry[]) =>
  entries.filter((it) => it.event === 'state').map(({ data }) => data.step);

async function call() {
  await api.start({ userId: 'ada' });
  const ref = await spawner.launchNext();
  const say = (...events: { type: string; data: object }[]) =>
    api.schema.agents.append(ref, { lines: [], events });
  return { ref, say };
}

test('a live session: its times, and all that happened in it, as its stream tells it to admins', async () => {
  const { ref, say } = await call();
  await say({ type: 'agent_speaking', data: { active: true } }, { type: 'health', data: { status: 'well' } });
  await say({ type: 'transcript', data: { role: 'agent', text: 'Hello Ada', final: true } });
  const { status, body, entries } = await timelineOf(ref.sessionId);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    success: true,
    sessionId: ref.sessionId,
    timeline: { queuedAt: null, joinedAt: null, endRequestedAt: null, endedAt: null },
    isCut: false,
    listenIn: 'off',
  });
  const { askedAt, spawnedAt, readyAt, firstAudioAt } = body.timeline;
  expect(askedAt <= spawnedAt && spawnedAt <= readyAt && readyAt <= firstAudioAt).toBe(true);
  expect(Date.parse(firstAudioAt)).toBeGreaterThan(Date.now() - 10_000);
  expect(stepsOf(entries)).toEqual(['starting', 'claimed', 'spawned', 'ready']);
  expect(entries.slice(-3)).toEqual([
    {
      event: 'agent',
      data: expect.objectContaining({ kind: 'agent_speaking', active: true, sessionId: ref.sessionId }),
    },
    { event: 'agent', data: expect.objectContaining({ kind: 'health', status: 'well' }) },
    { event: 'transcript', data: expect.objectContaining({ role: 'agent', text: 'Hello Ada', final: true }) },
  ]);
});

test('the session’s stream goes on where it ends: nothing is lost in between, and nothing comes twice', async () => {
  const { ref, say } = await call();
  await say({ type: 'transcript', data: { role: 'agent', text: 'before', final: true } });
  const { body } = await timelineOf(ref.sessionId);
  await say({ type: 'transcript', data: { role: 'user', text: 'between', final: true } });
  const stream = await openEventStream(`${api.baseUrl}/api/session/${ref.sessionId}/events`, {
    Authorization: `Bearer ${ADMIN_TOKEN}`,
    'Last-Event-ID': body.lastEventId,
  });
  try {
    await waitFor(() => stream.events.length > 0);
    expect(stream.events[0]).toMatchObject({ event: 'transcript', data: { text: 'between' } });
  } finally {
    stream.leave();
  }
});

test('who stood in line has that time in it, under either id', async () => {
  const { ref } = await call();
  const queued = await api.start({ userId: 'bob' });
  expect(queued.status).toBe('queued');
  const warmId = await spawner.warmUp();
  await api.schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'admin_ended', by: 'admin' });
  await api.schema.sessions.finishEnd(ref.sessionId, ref.generation);
  for (const id of [queued.sessionId, warmId]) {
    const { body, entries } = await timelineOf(id);
    expect(body.sessionId).toBe(warmId);
    expect(body.timeline.queuedAt).not.toBeNull();
    expect(stepsOf(entries)).toContain('queued');
    expect(stepsOf(entries).indexOf('queued')).toBe(0);
    expect(stepsOf(entries)).toContain('pooled');
    expect(entries.map((it) => it.event)).not.toContain('promoted');
  }
});

test('of a long call it says that the oldest entries are gone', async () => {
  const { ref, say } = await call();
  const many = Array.from({ length: 2_500 }, () => ({ type: 'agent_speaking', data: { active: true } }));
  await say(...many);
  const { body, entries } = await timelineOf(ref.sessionId);
  expect(body.isCut).toBe(true);
  expect(entries.length).toBeGreaterThanOrEqual(2_000);
  expect(stepsOf(entries)).toEqual([]);
});

test('one that is over: what the history has, who spoke when, and not a word of what was said', async () => {
  const { ref, say } = await call();
  await say({ type: 'transcript', data: { role: 'user', text: 'my knee hurts', final: true } });
  const speaking = (active: boolean) => say({ type: 'user_speaking', data: { active } });
  await speaking(true);
  await speaking(false);
  const told = (await timelineOf(ref.sessionId)).entries.filter(({ data }) => data.kind === 'user_speaking');
  await redis.command(
    'HSET',
    `session:${ref.sessionId}`,
    'deadAir',
    'checkin@1763795624000 caller_back@1763795626000',
  );
  await api.schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' });
  const ending = await timelineOf(ref.sessionId);
  expect(ending.body.timeline.endRequestedAt).not.toBeNull();
  expect(stepsOf(ending.entries)).toContain('ending');
  await api.schema.sessions.finishEnd(ref.sessionId, ref.generation);
  const { status, body, entries } = await timelineOf(ref.sessionId);
  expect(status).toBe(200);
  expect(body.lastEventId).toBeNull();
  expect(body.timeline.endedAt).not.toBeNull();
  expect(entries).toEqual([
    {
      event: 'dead_air',
      data: { sessionId: ref.sessionId, at: '2025-11-22T07:13:44.000Z', step: 'checkin' },
    },
    {
      event: 'dead_air',
      data: { sessionId: ref.sessionId, at: '2025-11-22T07:13:46.000Z', step: 'caller_back' },
    },
    ...[true, false].map((active) => ({
      event: 'agent',
      data: { sessionId: ref.sessionId, at: expect.any(String), kind: 'user_speaking', active },
    })),
  ]);
  // At the times at which they were told while it lived.
  const kept = entries.filter(({ event }) => event === 'agent');
  for (const [index, { data }] of kept.entries())
    expect(
      Math.abs(Date.parse(String(data.at)) - Date.parse(String(told[index]?.data.at))),
    ).toBeLessThanOrEqual(5);
  expect(JSON.stringify(body)).not.toContain('knee');
});

test('only for admins; an id that nobody has, one that no history kept, and data that is being recovered are told apart', async () => {
  const { ref } = await call();
  expect((await api.get(`/api/session/${ref.sessionId}/timeline`)).status).toBe(401);
  const none = await timelineOf('session_aaaaaaaaaaaaaaaaaaaaaaaa');
  expect([none.status, none.body.code]).toEqual([404, 'session_not_found']);
  await api.schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' });
  await api.schema.sessions.finishEnd(ref.sessionId, ref.generation);
  await redis.command('DEL', `history:${ref.sessionId}`);
  const ended = await timelineOf(ref.sessionId);
  expect([ended.status, ended.body.code]).toEqual([404, 'session_ended']);
  await redis.command('FLUSHALL');
  const lost = await timelineOf(ref.sessionId);
  expect([lost.status, lost.body.code]).toEqual([503, 'recovering']);
});
