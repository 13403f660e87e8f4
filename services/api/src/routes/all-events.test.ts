import { type EventStream, openEventStream, startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ServedApi, serveTestApi } from '../testing/served-api.js';
import { ADMIN_TOKEN, CLIENT_KEY, HOST, StandInSpawner } from '../testing/test-api.js';

let redis: TestRedis;
let api: ServedApi;
let other: ServedApi;
let spawner: StandInSpawner;
const open: EventStream[] = [];

beforeAll(async () => {
  redis = await startRedis();
  api = await serveTestApi({ redis, env: { CLIENT_API_KEYS: CLIENT_KEY } });
  other = await serveTestApi({ redis });
});
afterAll(async () => {
  await api.close();
  await other.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.leave();
});

async function follow(
  query = '',
  { at = api, token = ADMIN_TOKEN, lastEventId = '' } = {},
): Promise<EventStream> {
  const stream = await openEventStream(`${at.baseUrl}/api/sessions/events${query}`, {
    Authorization: `Bearer ${token}`,
    ...(lastEventId !== '' && { 'Last-Event-ID': lastEventId }),
  });
  open.push(stream);
  return stream;
}

async function start(profile = 'default') {
  const { sessionId } = await other.start({ profile });
  return sessionId;
}

/** What came after the snapshot, shortly. */
const newsOf = (stream: EventStream) =>
  stream.events.slice(1).map(({ event, data }) => {
    if (event === 'session') return `session ${data.step} ${data.status}`;
    if (event === 'host') return `host ${data.host} ${data.state}`;
    return `${event} ${data.profile} ${data.target} ${data.ready} ${data.warming}`;
  });

test('an admin gets everything as it is, then what happens to sessions, pools and hosts, and never what is said', async () => {
  const sessionId = await start();
  const stream = await follow();
  await waitFor(() => stream.events.length === 1);
  expect(stream.events[0]).toMatchObject({
    event: 'snapshot',
    data: {
      recovering: false,
      isCut: false,
      sessions: [{ sessionId, status: 'starting', host: null, generation: 0 }],
      pools: [
        { profile: 'default', target: 3, ready: 0, warming: 0 },
        { profile: 'other', target: 0, ready: 0, warming: 0 },
      ],
      hosts: [{ host: HOST, state: 'up', capacity: 60, version: 'test', lastSeenAt: expect.any(String) }],
    },
  });
  const ref = await spawner.launchNext();
  await api.schema.agents.append(ref, {
    lines: [],
    events: [{ type: 'transcript', data: { role: 'user', text: 'my knee hurts', final: true } }],
  });
  await spawner.warmUp();
  await api.schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 1,
    draining: true,
  });
  await api.post('/api/session/end', { sessionId });
  await api.schema.sessions.finishEnd(sessionId, 1);
  await waitFor(() => newsOf(stream).includes('session ended gone'));
  expect(newsOf(stream)).toEqual([
    'session claimed starting',
    'session spawned starting',
    'session ready ready',
    'session starting starting',
    'pool default 3 0 1',
    'session claimed starting',
    'session spawned starting',
    'session pooled pooled',
    'pool default 3 1 0',
    `host ${HOST} draining`,
    'session ending ending',
    'session ended gone',
  ]);
  expect(stream.events.at(-1)?.data).toMatchObject({
    sessionId,
    profile: 'default',
    warm: false,
    host: HOST,
    detail: { endReason: 'caller_ended', endedBy: 'caller' },
  });
  expect(stream.events[4]?.data.warm).toBe(true);
  expect(stream.text()).not.toContain('knee');
});

test('it reads on from its last event, at another instance, and gets a snapshot when nobody can tell what it missed', async () => {
  const first = await follow();
  await waitFor(() => first.events.length === 1);
  await start();
  await waitFor(() => first.events.length === 2);
  first.leave();
  await start();
  const second = await follow('', { at: other, lastEventId: first.lastId() });
  await start();
  await waitFor(() => second.events.length === 2);
  expect(second.events.map(({ event }) => event)).toEqual(['session', 'session']);
  await redis.command('XTRIM', 'events', 'MAXLEN', 1);
  const third = await follow('', { lastEventId: first.lastId() });
  await waitFor(() => third.events.length === 1);
  expect(third.events[0]?.event).toBe('snapshot');
});

test('it may choose what it hears of', async () => {
  const pools = await follow('?kinds=pool,host');
  const profile = await follow('?profile=other');
  const host = await follow('?kinds=session&host=elsewhere');
  await waitFor(() => [pools, profile, host].every(({ events }) => events.length === 1));
  expect(profile.events[0]?.data.pools).toHaveLength(1);
  expect(host.events[0]?.data).toMatchObject({ sessions: [], pools: [], hosts: [] });
  await start('other');
  await start();
  await api.schema.pools.resize('default', 5);
  await waitFor(() => pools.events.length === 2 && profile.events.length === 2);
  expect(newsOf(pools)).toEqual(['pool default 5 0 0']);
  expect(newsOf(profile)).toEqual(['session starting starting']);
  expect(newsOf(host)).toEqual([]);
  for (const query of ['?kinds=transcript', '?kinds=', '?what=x']) {
    expect((await follow(query)).response.status).toBe(400);
  }
});

test('it hears what agents and hosts have to do, who waits in line, and of alarms, in the words of the snapshot', async () => {
  const full = await serveTestApi({ redis, env: { MAX_SESSIONS: '1' } });
  const { sessionId } = await full.start({ userId: 'ann' });
  const ref = await spawner.launchNext();
  const stream = await follow('?kinds=load,host,line,alarm');
  await waitFor(() => stream.events.length === 1);
  expect(stream.events[0]?.data).toMatchObject({ sessions: [], pools: [], line: [], alarms: [] });
  const load = { cpuPercent: 25, loadAverage: 0.5, cores: 2 };
  await api.schema.sessions.renew(ref, 60_000, { status: 'alive', rss: '4096', cpu: '0' });
  await spawner.heartbeat({ load, memoryFree: 1_000_000_000 });
  const { sessionId: waiting } = await full.start({ userId: 'bob' });
  await api.schema.sessions.requestEnd({ sessionId, reason: 'admin_ended', by: 'admin' });
  await api.schema.sessions.raiseAlarm(sessionId, ref.generation, 'kill_failed');
  await waitFor(() => stream.events.length === 5);
  const at = expect.stringMatching(/Z$/);
  const alarm = { sessionId, profile: 'default', host: HOST, alarm: 'kill_failed', at };
  const bob = { sessionId: waiting, position: 1, profile: 'default', userId: 'bob', queuedAt: at };
  expect(stream.events.slice(1).map(({ event, data }) => ({ event, ...data }))).toEqual([
    { event: 'load', at, sessionId, profile: 'default', host: HOST, cpuPercent: 0, memoryBytes: 4096 },
    {
      event: 'host',
      at,
      host: HOST,
      state: 'up',
      capacity: 60,
      running: 1,
      calls: 1,
      warm: 0,
      starting: 0,
      killsLeft: 0,
      memory: { freeBytes: 1_000_000_000, isShort: false },
      load,
    },
    { event: 'line', at, waiting: 1, line: [bob] },
    { event: 'alarm', ...alarm, isOver: false },
  ]);
  const later = await follow();
  await waitFor(() => later.events.length === 1);
  expect(later.events[0]?.data).toMatchObject({
    line: [bob],
    alarms: [alarm],
    hosts: [{ host: HOST, load }],
  });
  const called = later.events[0]?.data.sessions[1];
  expect(called).toMatchObject({
    sessionId,
    cpuPercent: 0,
    memoryBytes: 4096,
    measuredAt: at,
    alarm: 'kill_failed',
  });
  const [listed] = (await api.adminGet('/api/sessions?userId=ann')).body.sessions;
  expect(listed).toMatchObject({ cpuPercent: 0, memoryBytes: 4096, measuredAt: at });
  await full.close();
});

test('with the data lost it is told so, and gets another snapshot when it is there again', async () => {
  const stream = await follow();
  await waitFor(() => stream.events.length === 1);
  await redis.command('FLUSHALL');
  const late = await follow();
  await waitFor(() => late.events.length === 1);
  expect(late.events[0]).toMatchObject({ id: 'none:0-0', data: { recovering: true, hosts: [] } });
  await spawner.register();
  await waitFor(async () => {
    const epoch = String(await redis.command('GET', 'epoch'));
    return [stream, late].every((it) =>
      it.events.some(({ id, event }) => event === 'snapshot' && id.startsWith(epoch)),
    );
  });
  expect(late.events.at(-1)?.data.recovering ?? false).toBe(false);
});

test('nobody else may', async () => {
  expect((await follow('', { token: CLIENT_KEY })).response.status).toBe(403);
  expect((await follow('', { token: 'wrong' })).response.status).toBe(401);
});
