import { begin, callReducer } from '@greenroom/dead-air';
import { type CallCommand, openRedis, type RedisSchema } from '@greenroom/redis-schema';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { StandInSpawner } from '../testing/test-api.js';
import { type Sent, WatchingApi } from '../testing/watching-api.js';
import type { SendOutcome } from './call-sender.js';

const SILENCE_MS = 400;
const SETTINGS = {
  silence_timeout_normal: SILENCE_MS / 1000,
  disconnect_delay: 0.3,
  max_checkins_before_disconnect: 1,
};

let redis: TestRedis;
let schema: RedisSchema;
let apis: WatchingApi[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  apis = [];
  schema = await openSchema();
  await new StandInSpawner(schema).register();
});
afterEach(async () => {
  for (const api of apis) await api.close();
  await schema.close();
});

async function openSchema(): Promise<RedisSchema> {
  const opened = openRedis({ url: redis.url, clientName: 'test' });
  await opened.connected(2000);
  return opened;
}

async function watchingApi(
  answer: (command: CallCommand, times: number) => SendOutcome | Error = () => 'confirmed',
): Promise<WatchingApi> {
  const api = new WatchingApi(await openSchema(), answer);
  apis.push(api);
  return api;
}

/** A phone call that is silent from now on. */
async function startSilence(callId = 'v3:call', by: RedisSchema = schema): Promise<number> {
  const at = Math.round(by.clock.now());
  const state = begin(at, 'phone');
  await by.calls.open({ callId, medium: 'phone', state, settings: SETTINGS, dueAt: undefined });
  await by.calls.change(callId, callReducer({ kind: 'call_started', at }));
  return at;
}

const idsOf = (sent: readonly Sent[]) => sent.map(({ command }) => command.commandId);
const allSent = () => apis.flatMap(({ sent }) => sent).sort((a, b) => a.at - b.at);

/** The question was heard, and is over. */
async function hearQuestion(callId = 'v3:call'): Promise<number> {
  const at = Math.round(schema.clock.now());
  const playback = { id: 'p1', commandId: 'checkin-1' };
  await schema.calls.change(
    callId,
    callReducer(
      { kind: 'playback_started', ...playback, at: at - 1 },
      { kind: 'playback_ended', ...playback, at },
    ),
  );
  return at;
}

test.each([1, 3])('of %d apis, one asks and one hangs up, each in its time', async (count) => {
  for (let i = 0; i < count; i += 1) await watchingApi();
  const begunAt = await startSilence();
  await waitFor(() => allSent().length === 1, { what: 'the question' });
  expect((allSent()[0]?.at ?? 0) - begunAt).toBeGreaterThanOrEqual(SILENCE_MS);
  expect((allSent()[0]?.at ?? 0) - begunAt).toBeLessThan(SILENCE_MS + 300);
  const heardAt = await hearQuestion();
  await waitFor(() => allSent().length === 2, { what: 'the end' });
  expect((allSent()[1]?.at ?? 0) - heardAt).toBeGreaterThanOrEqual(300);
  expect((allSent()[1]?.at ?? 0) - heardAt).toBeLessThan(600);
  await waitFor(async () => (await redis.command('EXISTS', 'call:v3:call')) === 0, {
    what: 'nothing of the call',
  });
  expect(allSent().map(({ command }) => command.kind)).toEqual(['say', 'end']);
});

test('what an api has changed itself it looks at in time, without a wake', async () => {
  const api = await watchingApi();
  const lookedAt = () => redis.command('HGET', 'calls:watch', 'lookedAt');
  // Just after it has looked, and would look again in a second.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = await lookedAt();
  await waitFor(async () => (await lookedAt()) !== before, { what: 'a look', intervalMs: 5 });
  const begunAt = await startSilence('v3:call', api.schema);
  await waitFor(() => api.sent.length === 1, { what: 'the question' });
  expect((api.sent[0]?.at ?? 0) - begunAt - SILENCE_MS).toBeLessThan(300);
});

describe('an api that is killed', () => {
  test('with a call in its hands leaves it to another within a second', async () => {
    const at = Math.round(schema.clock.now());
    await startSilence();
    const dying = await openSchema();
    await waitFor(async () => (await dying.calls.takeDue()).calls.length === 1, { what: 'the call' });
    const takenAt = schema.clock.now();
    await dying.close();
    const api = await watchingApi();
    await waitFor(() => api.sent.length === 1, { what: 'the question', timeoutMs: 3000 });
    expect((api.sent[0]?.at ?? 0) - takenAt).toBeLessThan(900);
    expect((api.sent[0]?.at ?? 0) - at).toBeLessThan(SILENCE_MS + 1_000);
  });

  test('before its command arrived: another sends it again, under the same id', async () => {
    const dying = await watchingApi(() => new Error('killed while it sends'));
    await startSilence();
    await waitFor(() => dying.sent.length >= 1, { what: 'the first attempt' });
    await dying.die();
    const api = await watchingApi();
    await waitFor(() => api.sent.length === 1, { what: 'the second attempt', timeoutMs: 3000 });
    expect(new Set(idsOf(allSent()))).toEqual(new Set(['checkin-1']));
  });
});

describe('a command', () => {
  test('that fails is sent again under its id until it arrives, and then no more', async () => {
    const api = await watchingApi((_, times) => (times < 3 ? new Error('busy') : 'confirmed'));
    await startSilence();
    await waitFor(() => api.sent.length === 3, { what: 'three attempts', timeoutMs: 3000 });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(idsOf(api.sent)).toEqual(['checkin-1', 'checkin-1', 'checkin-1']);
    // Sooner than its lease alone would bring it back.
    expect((api.sent[1]?.at ?? 0) - (api.sent[0]?.at ?? 0)).toBeLessThan(500);
    expect(await metricOf(api, 'greenroom_call_commands_total{command="checkin"}')).toBe('1');
  });

  test('that says something waits for what takes back the line before it, and for nothing else', async () => {
    const api = await watchingApi((command, times) => {
      return command.kind !== 'say' && times < 3 ? new Error('busy') : 'confirmed';
    });
    await startSilence();
    await waitFor(() => api.sent.length === 1, { what: 'the question' });
    const say = { kind: 'say', commandId: 'checkin-2', text: 'Hello?', purpose: 'checkin' } as const;
    await schema.calls.change('v3:call', ({ state }) => ({
      state,
      dueAt: undefined,
      actions: [{ kind: 'unsay', commandId: 'checkin-1' }, say],
      steps: [],
    }));
    await waitFor(() => idsOf(api.sent).includes('checkin-2'), { what: 'the next line' });
    const taken = 'unsay-checkin-1';
    expect(idsOf(api.sent)).toEqual(['checkin-1', taken, taken, taken, 'checkin-2']);

    await schema.calls.change('v3:call', ({ state }) => ({
      state,
      dueAt: undefined,
      actions: [
        { kind: 'phone', commandId: 'link', command: {} },
        { ...say, commandId: 'checkin-3' },
      ],
      steps: [],
    }));
    await waitFor(() => idsOf(api.sent).filter((id) => id === 'link').length === 3, { what: 'the link' });
    expect(idsOf(api.sent).slice(5)).toEqual(['link', 'checkin-3', 'link', 'link']);
  });

  test('that was only sent is sent again until an event proves it', async () => {
    const api = await watchingApi(() => 'sent');
    await startSilence();
    await waitFor(() => api.sent.length === 2, { what: 'two attempts', timeoutMs: 3000 });
    await schema.calls.change('v3:call', () => 'unchanged', { confirms: 'checkin-1' });
    const before = api.sent.length;
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(idsOf(api.sent).slice(before)).not.toContain('checkin-1');
  });

  test('to ask, that is refused, is not sent again, and after a second one the call ends', async () => {
    const api = await watchingApi((command) => (command.kind === 'say' ? 'refused' : 'confirmed'));
    await startSilence();
    await waitFor(() => api.sent.length === 3, { what: 'the end', timeoutMs: 5000 });
    expect(idsOf(api.sent)).toEqual(['checkin-1', 'checkin-2', 'end-1']);
  });

  test('to ask a caller on the telephone that nobody could send in its time is given anew: it was not asked', async () => {
    await startSilence();
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS + 100));
    // By somebody who sends nothing.
    await schema.calls.change('v3:call', callReducer({ kind: 'time', at: schema.clock.now() }));
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    const api = await watchingApi();
    await waitFor(() => api.sent.length === 1, { what: 'another question', timeoutMs: 5000 });
    expect(idsOf(api.sent)).toEqual(['checkin-2']);
  });

  test('for a call that is over closes it', async () => {
    const api = await watchingApi(() => 'gone');
    await startSilence();
    await waitFor(() => api.sent.length === 1, { what: 'the question', timeoutMs: 3000 });
    await waitFor(async () => (await redis.command('EXISTS', 'call:v3:call')) === 0, {
      what: 'nothing of the call',
    });
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });
});

test('the end of a call in LiveKit is the end of its session, by its reason', async () => {
  const spawner = new StandInSpawner(schema);
  const { sessionId } = await startSession(spawner);
  const api = await watchingApi();
  const at = Math.round(schema.clock.now());
  const opened = await schema.calls.open({
    callId: sessionId,
    sessionId,
    medium: 'livekit',
    state: begin(at, 'livekit'),
    settings: { ...SETTINGS, max_checkins_before_disconnect: 0, disconnect_delay: 0.1 },
    dueAt: undefined,
  });
  expect(opened.status).toBe('opened');
  await schema.calls.change(sessionId, callReducer({ kind: 'call_started', at }));
  await waitFor(async () => (await redis.command('HGET', `session:${sessionId}`, 'status')) === 'ending', {
    what: 'the end',
  });
  expect(await redis.command('HGET', `session:${sessionId}`, 'endReason')).toBe('dead_air');
  expect(await redis.command('EXISTS', `call:${sessionId}`)).toBe(0);
  await waitFor(async () => (await metricOf(api, 'greenroom_call_ends_total{reason="dead_air"}')) === '1', {
    what: 'counted',
  });
  expect(api.sent).toEqual([]);
});

test.each([
  ['could not be sent to any agent in its time was none, and is asked anew', new Error('no agent'), 2],
  ['was sent to an agent that confirms nothing counts as asked', 'sent' as const, 1],
])(
  'a question in a room that %s',
  async (_what, answer, questions) => {
    const { sessionId } = await startSession(new StandInSpawner(schema));
    const api = await watchingApi(() => answer);
    const at = Math.round(schema.clock.now());
    const state = begin(at, 'livekit');
    const settings = { ...SETTINGS, disconnect_delay: 60 };
    const wish = { callId: sessionId, sessionId, medium: 'livekit', state, settings } as const;
    await schema.calls.open({ ...wish, dueAt: undefined });
    await schema.calls.change(sessionId, callReducer({ kind: 'call_started', at }));
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(new Set(idsOf(api.sent)).size).toBe(questions);
  },
  15_000,
);

test('an agent that is frozen is replaced by the step of an admin, and once', async () => {
  const { sessionId } = await startSession(new StandInSpawner(schema));
  await watchingApi();
  const at = Math.round(schema.clock.now());
  const settings = { silence_timeout_normal: 60, agent_response_timeout: 0.3 };
  const state = begin(at, 'livekit');
  await schema.calls.open({
    callId: sessionId,
    sessionId,
    medium: 'livekit',
    state,
    settings,
    dueAt: undefined,
  });
  await schema.calls.change(
    sessionId,
    callReducer(
      { kind: 'call_started', at: at - 10 },
      { kind: 'caller_said', text: 'What is the time?', final: true, at },
    ),
  );
  const launch = await redis.command('HGET', `session:${sessionId}`, 'launch');
  await waitFor(
    async () => (await redis.command('HGET', `session:${sessionId}`, 'restartRequested')) === launch,
    { what: 'the wish for another agent' },
  );
  await waitFor(async () => (await redis.command('ZCARD', 'calls:due')) === 1, {
    what: 'nothing left to send',
  });
});

test('a Redis that was away is asked again, and nobody is hung up on in its first moment', async () => {
  const api = await watchingApi();
  await startSilence();
  await redis.command('HSET', 'calls:watch', 'lookedAt', String(Date.now() - 5_000));
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS + 600));
  expect(api.sent).toEqual([]);
  await waitFor(() => api.sent.length === 1, { what: 'the question after the grace', timeoutMs: 4000 });
});

test('a thousand quiet calls cost no command between events', async () => {
  const state = begin(1, 'phone');
  for (let i = 0; i < 1000; i += 1) {
    const dueAt = schema.clock.now() + 60_000;
    await schema.calls.open({ callId: `quiet-${i}`, medium: 'phone', state, settings: {}, dueAt });
  }
  await watchingApi();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await redis.command('CONFIG', 'RESETSTAT');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const stats = String(await redis.command('INFO', 'commandstats'));
  expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])).toBeLessThanOrEqual(3);
  expect(stats).not.toMatch(/cmdstat_(hgetall|hget|hset):calls=\d{2}/);
});

async function startSession(spawner: StandInSpawner): Promise<{ sessionId: string }> {
  const sessionId = `session_${'s'.repeat(24)}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    since: undefined,
    queueMax: 5,
    sessionTimeoutMs: 60_000,
  });
  return spawner.launchNext();
}

async function metricOf({ metrics }: WatchingApi, name: string): Promise<string | undefined> {
  const line = (await metrics.registry.metrics())
    .split('\n')
    .find(
      (each) =>
        each.startsWith(name.split('{')[0] ?? '') && each.includes(name.slice(name.indexOf('{') + 1, -1)),
    );
  return line?.split(' ').at(-1);
}
