import { randomUUID } from 'node:crypto';
import { AGENT_STARTING, begin, callReducer } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';
import {
  type PhoneCall,
  startRedis,
  startTelnyx,
  type TestRedis,
  type TestTelnyx,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { rejectCall } from '../calls/telnyx/phone-steps.js';
import { ADMIN_TOKEN, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

const PATH = '/api/webhooks/telnyx';
let redis: TestRedis;
let telnyx: TestTelnyx;
let api: TestApi;
let other: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  // So that what is kept can be searched.
  await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
  telnyx = await startTelnyx();
  const env = {
    ...telnyx.env,
    TELNYX_LINK: 'sip',
    TELNYX_SIP_URI: 'sip:{room}@sip.example.test',
    MAX_SESSIONS: '3',
    QUEUE_MAX: '20',
  };
  api = await openTestApi({ redis, env });
  other = await openTestApi({ redis, env });
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
});
afterAll(async () => {
  await api.close();
  await other.close();
  await telnyx.stop();
  await redis.stop();
});
afterEach(async () => {
  const { body } = await api.adminGet('/api/sessions');
  for (const { sessionId } of body.sessions) {
    await api.adminPost('/api/session/end', { sessionId });
    await api.schema.sessions.finishEnd(sessionId, 1);
  }
  for (const { id } of telnyx.calls) await api.schema.calls.close(id);
});

/** Delivers an event as Telnyx does. */
async function deliver(
  call: PhoneCall,
  type: string,
  payload: object = {},
  { to = api, at = Date.now() } = {},
) {
  return post(call.eventOf(type, { ...payload }, at), to);
}

async function post(
  event: object,
  to = api,
  alter: (body: string) => string = (body) => body,
  signedAt?: number,
) {
  const { body, headers } = telnyx.signed(event as never, signedAt);
  const { status, body: answer } = await request(to.app).post(PATH).set(headers).send(alter(body));
  return { status, ...answer };
}

const INCOMING = { direction: 'incoming', state: 'parked', from: '+15550100001', to: '+15550100002' };

/** A call that has a session and is to be answered. */
async function dial(): Promise<PhoneCall> {
  const call = telnyx.dial();
  expect(await deliver(call, 'call.initiated', INCOMING)).toMatchObject({ status: 200, outcome: 'taken' });
  return call;
}

/** A call whose agent is there, as its spawner tells. */
async function answered(): Promise<PhoneCall> {
  const call = await dial();
  const at = Math.floor(api.schema.clock.now());
  await api.schema.calls.change(call.id, callReducer({ kind: 'work_ended', id: AGENT_STARTING, at }));
  expect(await deliver(call, 'call.answered')).toMatchObject({ status: 200, outcome: 'taken' });
  return call;
}

const read = async ({ id }: PhoneCall) => (await api.schema.calls.read(id)) as CallRecord;

/** What is to be sent for a call, in order, as it stands in Redis: nobody sends it here. */
async function outbox({ id }: PhoneCall): Promise<object[]> {
  const text = await redis.command('HGET', `call:${id}`, 'outbox');
  const entries = JSON.parse(String(text ?? '[]')) as { json: string }[];
  return entries.map(({ json }) => JSON.parse(json) as object);
}

/** What Redis holds, as texts. */
async function everything(of = /./): Promise<string> {
  const keys = ((await redis.command('KEYS', '*')) as string[]).filter((key) => of.test(key)).sort();
  const values = await Promise.all(keys.map((key) => redis.command('DUMP', key)));
  return keys.map((key, index) => `${key} ${String(values[index])}`).join('\n');
}
const OF_CALLS = /^(call|calls|session|sessions|stream):/;

describe('a call that comes in', () => {
  test('gets a session and is to be answered', async () => {
    const call = await dial();
    const { sessionId, medium } = await read(call);
    expect(medium).toBe('phone');
    const { body: session } = await api.adminGet(`/api/session/${sessionId}`);
    expect(session).toMatchObject({ status: 'starting', profile: 'default' });
    expect(await outbox(call)).toEqual([{ kind: 'phone', commandId: 'answer', command: { kind: 'answer' } }]);
  });

  test('gets a warm agent where there is one', async () => {
    const warm = await spawner.warmUp();
    const call = await dial();
    expect((await read(call)).sessionId).toBe(warm);
    expect(await outbox(call)).toHaveLength(1);
  });

  test('however often it is told, and by however many instances at once, has one session and one answer', async () => {
    const call = telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const told = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => post(event, n % 2 ? api : other)));
    expect(told.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await post(event)).toMatchObject({ outcome: 'duplicate' });
    const { body } = await api.adminGet('/api/sessions');
    expect(body.sessions).toHaveLength(1);
    expect(await outbox(call)).toHaveLength(1);
  });

  test('is rejected as busy where there is no place, and stands in no line', async () => {
    for (let n = 0; n < 3; n += 1) await api.start();
    const call = telnyx.dial();
    expect(await deliver(call, 'call.initiated', INCOMING)).toMatchObject({ status: 200, outcome: 'taken' });
    expect(await outbox(call)).toEqual([{ kind: 'phone', commandId: 'reject', command: { kind: 'reject' } }]);
    expect(await deliver(call, 'call.initiated', INCOMING)).toMatchObject({ outcome: 'duplicate' });
    expect((await api.schema.health.read()).queued).toBe(0);
  });

  test('that one instance rejects just before another finds a place has no session that is left over', async () => {
    const call = telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const { sessions } = api.schema;
    const start = sessions.start.bind(sessions);
    sessions.start = async (args) => {
      sessions.start = start;
      const started = await start(args);
      await other.schema.calls.open({
        callId: call.id,
        medium: 'phone',
        state: begin(0, 'phone'),
        settings: {},
        dueAt: undefined,
      });
      await other.schema.calls.change(call.id, rejectCall, { eventId: event.id });
      return started;
    };
    expect(await post(event)).toMatchObject({ outcome: 'duplicate' });
    const { body } = await api.adminGet('/api/sessions');
    expect(body.sessions).toEqual([]);
    // What is left to do is to be rid of the caller: by the rejection or, now that a session has ended, by hanging up.
    expect(await outbox(call)).toHaveLength(1);
  });

  test('that is told again after we died half-way is answered then', async () => {
    const call = telnyx.dial();
    const event = call.eventOf('call.initiated', INCOMING);
    const { calls } = api.schema;
    const change = calls.change.bind(calls);
    calls.change = async () => {
      calls.change = change;
      throw new Error('killed');
    };
    expect(await post(event)).toMatchObject({ status: 500 });
    expect(await outbox(call)).toEqual([]);
    expect(await post(event, other)).toMatchObject({ outcome: 'taken' });
    expect(await outbox(call)).toHaveLength(1);
    const { body } = await api.adminGet('/api/sessions');
    expect(body.sessions).toHaveLength(1);
  });

  test('of which the news of the answer comes first has everything that it has else', async () => {
    const call = telnyx.dial();
    const at = Date.now() - 100;
    expect(await deliver(call, 'call.answered', {}, { at })).toMatchObject({ outcome: 'taken' });
    expect(await outbox(call)).toEqual([]);
    await deliver(call, 'call.initiated', INCOMING, { to: other });
    const { sessionId, state, dueAt } = await read(call);
    const startedAt = (state as { startedAt: number }).startedAt;
    // Its agent is not there yet.
    expect((dueAt ?? 0) - startedAt).toBeGreaterThan(60_000);
    const thereAt = startedAt + 9_000;
    await api.schema.calls.change(
      call.id,
      callReducer({ kind: 'work_ended', id: AGENT_STARTING, at: thereAt }),
    );
    expect((await read(call)).dueAt).toBe(thereAt + 7_000);
    expect(await api.schema.sessions.read(sessionId ?? '')).toMatchObject({
      session: { callerJoinedAt: expect.any(Number) },
    });
    expect(startedAt).toBeGreaterThan(0);
    expect(await outbox(call)).toEqual([
      {
        kind: 'phone',
        commandId: 'link',
        command: { kind: 'transfer', to: expect.stringMatching(/^sip:greenroom-/) },
      },
    ]);
  });

  test('goes out: that is not for us', async () => {
    const call = telnyx.dial();
    expect(await deliver(call, 'call.initiated', { ...INCOMING, direction: 'outgoing' })).toMatchObject({
      status: 200,
      outcome: 'ignored',
    });
    expect(await api.schema.calls.read(call.id)).toBeUndefined();
  });

  test('leaves its number nowhere', async () => {
    await answered();
    expect(api.log()).not.toContain('5550100');
    const { body } = await api.adminGet('/api/sessions');
    expect(JSON.stringify(body)).not.toContain('5550100');
    expect(await everything()).not.toContain('5550100');
  });
});

describe('a call that is answered', () => {
  test('is led to the room of its agent, and from then on silence counts', async () => {
    const call = await answered();
    const { facts, dueAt, state } = await read(call);
    expect(await outbox(call)).toEqual([
      {
        kind: 'phone',
        commandId: 'link',
        command: { kind: 'transfer', to: `sip:${facts.room}@sip.example.test` },
      },
    ]);
    const { startedAt } = state as { startedAt: number };
    const found = await api.schema.sessions.read((await read(call)).sessionId ?? '');
    expect(found).toMatchObject({ session: { callId: call.id, callerJoinedAt: expect.any(Number) } });
    expect(Math.abs(startedAt - Date.now())).toBeLessThan(5_000);
    expect(dueAt).toBe(startedAt + 7_000);
  });

  test('by a caller whose agent is still being started: nobody is asked before it is there', async () => {
    const call = await dial();
    await deliver(call, 'call.answered');
    const { state, dueAt } = await read(call);
    expect(state).toMatchObject({ startedAt: expect.any(Number) });
    expect((dueAt ?? 0) - Date.now()).toBeGreaterThan(120_000);
  });

  test('counts once, at the time at which it happened, however late and often it is told', async () => {
    const call = await dial();
    const at = Date.now() - 2_000;
    const event = call.eventOf('call.answered', {}, at);
    expect(await post(event)).toMatchObject({ outcome: 'taken' });
    const before = await read(call);
    expect(Math.abs((before.state as { startedAt: number }).startedAt - at)).toBeLessThan(100);
    expect(await post(event, other)).toMatchObject({ status: 200, outcome: 'duplicate' });
    expect(await read(call)).toEqual(before);
  });

  test('an hour ago counts from 5 s ago, and in an hour from now', async () => {
    for (const [said, counted] of [
      [-3_600_000, -5_000],
      [3_600_000, 0],
    ] as const) {
      const call = await dial();
      await deliver(call, 'call.answered', {}, { at: Date.now() + said });
      const { startedAt } = (await read(call)).state as { startedAt: number };
      expect(Math.abs(startedAt - (Date.now() + counted))).toBeLessThan(2_000);
    }
  });
});

describe('what is heard', () => {
  const own = { client_state: Buffer.from('greenroom checkin-1').toString('base64') };

  test('puts the question off until the sound has really ended', async () => {
    const call = await answered();
    const at = Date.now();
    await deliver(call, 'call.playback.started', { playback_id: 'p' }, { at });
    expect((await read(call)).dueAt).toBeGreaterThan(at + 60_000);
    await deliver(call, 'call.playback.ended', { playback_id: 'p' }, { at: at + 40, to: other });
    expect((await read(call)).dueAt).toBeLessThanOrEqual(Date.now() + 7_000);
  });

  test('in whatever order it is told, comes to the same', async () => {
    const [first, second] = [await answered(), await answered()];
    const at = Date.now() - 1_000;
    const sounds = [
      ['call.speak.started', {}, at],
      ['call.speak.ended', {}, at + 100],
      ['call.speak.started', {}, at + 200],
      ['call.speak.ended', {}, at + 300],
    ] as const;
    for (const [type, payload, when] of sounds) await deliver(first, type, payload, { at: when });
    for (const index of [3, 1, 2, 0]) {
      const [type, payload, when] = sounds[index]!;
      await deliver(second, type, payload, { at: when, to: index % 2 ? api : other });
    }
    const [one, two] = [await read(first), await read(second)];
    expect(Object.keys((two.state as { playbacks: { open: object } }).playbacks.open)).toEqual([]);
    expect(two.dueAt! - (await startOf(second))).toBeCloseTo(one.dueAt! - (await startOf(first)), -3);
  });

  async function startOf(call: PhoneCall): Promise<number> {
    return ((await read(call)).state as { startedAt: number }).startedAt;
  }

  test('of the caller is heard in words, guesses and keys, and what they were is not kept', async () => {
    const call = await answered();
    const said = {
      transcription_data: {
        transcript: 'my number is secret',
        is_final: true,
        transcription_track: 'inbound',
      },
    };
    for (const [type, payload] of [
      ['call.transcription', said],
      ['call.dtmf.received', { digit: '7' }],
      ['call.gather.ended', { digits: '42', status: 'valid' }],
    ] as const) {
      const before = wordsOf(await read(call));
      const at = Math.max(Date.now(), before + 1);
      await waitFor(() => Date.now() > at);
      expect(await deliver(call, type, payload, { at })).toMatchObject({ outcome: 'taken' });
      expect(wordsOf(await read(call))).toBeGreaterThan(before);
    }
    expect(await everything()).not.toContain('secret');
    expect(api.log()).not.toContain('secret');
  });

  const wordsOf = ({ state }: CallRecord) => (state as { words: { finalAt: number } }).words.finalAt;

  test('"hold on" has a longer patience', async () => {
    const call = await answered();
    await deliver(call, 'call.transcription', {
      transcription_data: { transcript: 'hold on please', is_final: true },
    });
    expect((await read(call)).dueAt! - Date.now()).toBeGreaterThan(20_000);
  });

  test('proves that the line was spoken which we have asked for', async () => {
    const call = await answered();
    await api.schema.calls.change(call.id, ({ state, dueAt }) => ({
      state,
      dueAt,
      steps: [],
      actions: [{ kind: 'say', commandId: 'checkin-1', text: 'Are you there?', purpose: 'checkin' }],
    }));
    expect((await outbox(call)).map((command) => (command as { commandId: string }).commandId)).toContain(
      'checkin-1',
    );
    await deliver(call, 'call.speak.started', own);
    expect((await outbox(call)).map((command) => (command as { commandId: string }).commandId)).toEqual([
      'link',
    ]);
  });

  test('of somebody else, under the name of a line of ours that is over, is another sound', async () => {
    const call = await answered();
    const at = Date.now();
    await deliver(call, 'call.speak.started', own, { at });
    await deliver(call, 'call.speak.ended', own, { at: at + 50 });
    await deliver(call, 'call.speak.started', own, { at: at + 100 });
    expect((await read(call)).dueAt).toBeGreaterThan(Date.now() + 60_000);
    await deliver(call, 'call.speak.ended', own, { at: at + 150 });
    expect((await read(call)).dueAt).toBeLessThanOrEqual(Date.now() + 7_000);
  });
});

describe('the end', () => {
  test('the caller hangs up: the session ends as such, and nothing of the call is left', async () => {
    const call = await answered();
    const { sessionId } = await read(call);
    await deliver(
      call,
      'call.hangup',
      { hangup_cause: 'normal_clearing', hangup_source: 'caller' },
      { to: other },
    );
    const { body } = await api.adminGet(`/api/session/${sessionId}`);
    expect(body).toMatchObject({ code: 'session_ended', endReason: 'caller_hung_up' });
    expect(await redis.command('KEYS', `*${call.id}*`)).toEqual([]);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('whatever comes after it is of no interest', async () => {
    const call = await answered();
    const initiated = call.eventOf('call.initiated', INCOMING);
    await deliver(call, 'call.hangup');
    for (const type of ['call.speak.ended', 'call.transcription', 'call.hangup', 'call.playback.started']) {
      const payload = { transcription_data: { transcript: 'x', is_final: true } };
      expect(await deliver(call, type, payload)).toMatchObject({ status: 200, outcome: 'ignored' });
    }
    await post(initiated);
    const { body } = await api.adminGet('/api/sessions');
    expect(body.sessions).toEqual([]);
  });

  test('the session ends for another reason: the phone is to be hung up', async () => {
    const call = await answered();
    const { sessionId } = await read(call);
    await spawner.claimNext();
    await api.adminPost('/api/session/end', { sessionId });
    expect(await outbox(call)).toMatchObject([{ kind: 'end' }]);
    expect(
      await deliver(call, 'call.transcription', {
        transcription_data: { transcript: 'hello?', is_final: true },
      }),
    ).toMatchObject({
      outcome: 'ignored',
    });
    await deliver(call, 'call.hangup', { hangup_source: 'callee' });
    expect(await redis.command('KEYS', `*${call.id}*`)).toEqual([]);
  });

  test('the news of an answer comes after it: what is kept for a call that may follow goes by itself', async () => {
    const call = await answered();
    await deliver(call, 'call.hangup');
    await deliver(call, 'call.answered');
    expect(await outbox(call)).toEqual([]);
    const keys = (await redis.command('KEYS', `*${call.id}*`)) as string[];
    for (const key of keys)
      expect(await redis.command('TTL', key)).toBeLessThanOrEqual(key.endsWith(':events') ? 3600 : 180);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('it comes before the call itself: nobody waits for it', async () => {
    const call = telnyx.dial();
    expect(await deliver(call, 'call.hangup')).toMatchObject({ status: 200, outcome: 'ignored' });
    expect(await redis.command('KEYS', `*${call.id}*`)).toEqual([]);
  });
});

describe('is refused with 401, and nothing changes', () => {
  const now = () => Date.now();
  test.each([
    [
      'another account',
      {},
      async (event: object) => {
        const stranger = await startTelnyx();
        const { body, headers } = stranger.signed(event as never);
        await stranger.stop();
        return { body, headers };
      },
    ],
    ['no signature', { 'telnyx-signature-ed25519': '' }, undefined],
    ['no timestamp', { 'telnyx-timestamp': '' }, undefined],
    ['another timestamp', { 'telnyx-timestamp': String(Math.floor(now() / 1000) + 7) }, undefined],
    ['something else in place of the signature', { 'telnyx-signature-ed25519': 'nonsense' }, undefined],
  ])('%s', async (_, replaced, forge) => {
    const call = await answered();
    const before = await everything(OF_CALLS);
    const event = call.eventOf('call.hangup');
    const { body, headers } = forge ? await forge(event) : telnyx.signed(event);
    const answer = await request(api.app)
      .post(PATH)
      .set({ ...headers, ...replaced })
      .send(body);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(await everything(OF_CALLS)).toBe(before);
  });

  test.each([
    ['what is 301 s old', -302_000],
    ['what comes 301 s too early', 302_000],
  ])('%s', async (_, offset) => {
    const call = await answered();
    expect(await post(call.eventOf('call.hangup'), api, undefined, Date.now() + offset)).toMatchObject({
      status: 401,
    });
    expect((await read(call)).callId).toBe(call.id);
  });

  test('a body of which one byte was changed', async () => {
    const call = await answered();
    const [, another] = [0, await answered()];
    const event = call.eventOf('call.hangup');
    const redirected = (body: string) => body.replace(call.id, another.id);
    expect(await post(event, api, redirected)).toMatchObject({ status: 401 });
    expect(await post(event, api, (body) => `${body} `)).toMatchObject({ status: 401 });
    expect(await read(another)).toBeDefined();
    expect(await post(event)).toMatchObject({ status: 200 });
  });

  test('what is forged is refused before anything of it is read', async () => {
    const answer = await request(api.app).post(PATH).set('Content-Type', 'application/json').send('{no json');
    expect(answer.status).toBe(401);
  });
});

describe('hostile input, properly signed', () => {
  const raw = async (body: string) => {
    const { headers } = telnyx.signed({} as never);
    const { status, body: answer } = await request(api.app)
      .post(PATH)
      .set({ ...headers, ...sign(body) })
      .send(body);
    return [status, answer.code ?? answer.outcome];
  };
  const sign = (body: string) => telnyx.headersFor(body);

  test('is refused as what it is, or ignored', async () => {
    const about = { record_type: 'event', id: randomUUID(), occurred_at: new Date().toISOString() };
    const event = (fields: object) =>
      JSON.stringify({ data: { ...about, event_type: 'call.answered', ...fields } });
    expect(await raw('no json')).toEqual([400, 'invalid_json']);
    expect(await raw('')).toEqual([400, 'invalid_json']);
    expect(await raw('[]')).toEqual([400, 'invalid_request']);
    expect(await raw('{"data":7}')).toEqual([400, 'invalid_request']);
    expect(await raw(event({ payload: {} }))).toEqual([400, 'invalid_request']);
    expect(await raw(event({ payload: { call_control_id: ['a'] } }))).toEqual([400, 'invalid_request']);
    expect(await raw(event({ payload: { call_control_id: 'x'.repeat(257) } }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await raw(event({ payload: { call_control_id: 'a\r\nDEL b' } }))).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await raw(event({ event_type: 'call.painted', payload: {} }))).toEqual([200, 'ignored']);
    expect(await raw(`[${'['.repeat(60_000)}`)).toEqual([400, 'invalid_json']);
  });

  test('a body of 10 MB is refused with 413', async () => {
    expect(await raw(`"${'x'.repeat(10_000_000)}"`)).toEqual([413, 'payload_too_large']);
  });

  test('ids with colons, and of 200 characters, are ids', async () => {
    const id = `v3:a:b|outbox:${'x'.repeat(180)}`;
    const about = {
      record_type: 'event',
      occurred_at: new Date().toISOString(),
      event_type: 'call.initiated',
    };
    const event = { ...about, id: randomUUID(), payload: { ...INCOMING, call_control_id: id } };
    expect(await raw(JSON.stringify({ data: event }))).toEqual([200, 'taken']);
    expect(await api.schema.calls.read(id)).toMatchObject({ callId: id, medium: 'phone' });
    await api.schema.calls.close(id);
  });
});

test('is answered with 503 while Redis is away, and taken when Telnyx sends it again', async () => {
  const call = await dial();
  const event = call.eventOf('call.answered');
  redis.pause();
  try {
    expect(await post(event)).toMatchObject({ status: 503, code: 'redis_unavailable' });
  } finally {
    redis.resume();
  }
  expect(await post(event)).toMatchObject({ status: 200 });
  expect((await read(call)).state).toMatchObject({ startedAt: expect.any(Number) });
});

test('without the keys of an account there is nothing at this address', async () => {
  const without = await openTestApi({ redis });
  const { status, body } = await request(without.app).post(PATH).set(telnyx.headersFor('{}')).send('{}');
  expect([status, body.code]).toEqual([404, 'not_found']);
  expect(body.detail).toContain('TELNYX_API_KEY');
  await without.close();
});

test('what arrived is counted by its outcome, and the key is nowhere in the log', async () => {
  const { text } = await api.get('/metrics');
  for (const outcome of ['taken', 'duplicate', 'ignored', 'refused']) {
    expect(text).toMatch(
      new RegExp(`greenroom_telnyx_webhooks_total\\{outcome="${outcome}",service="api"\\} [1-9]`),
    );
  }
  expect(api.log()).not.toContain(telnyx.apiKey);
  expect(api.log()).not.toContain(ADMIN_TOKEN);
});
