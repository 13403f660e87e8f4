import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { begin, callReducer } from '@greenroom/dead-air';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { ADMIN_TOKEN, HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

const PROFILE = { silence_timeout_normal: 9, checkin_message: ['Hello?', 'Anybody?'] };

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await api.schema.hosts.register(HOST, [
    { name: 'default', voices: [], poolTarget: 0, deadAirSettings: PROFILE },
    { name: 'other', voices: [], poolTarget: 0 },
  ]);
  await spawner.heartbeat();
});

const patch = (sessionId: string, body: object) =>
  request(api.app)
    .patch(`/api/session/${sessionId}/settings`)
    .set('Authorization', `Bearer ${ADMIN_TOKEN}`)
    .send(body);
const view = async (sessionId: string) => (await api.adminGet(`/api/session/${sessionId}`)).body.deadAir;

async function startCall(body: object = {}): Promise<string> {
  const { sessionId } = await api.start(body);
  await spawner.launchNext();
  return sessionId;
}

/** As a spawner does when both sides are there. */
async function beginCall(sessionId: string): Promise<void> {
  const { calls, clock } = api.schema;
  const at = Math.round(clock.now());
  const settings = PROFILE;
  const wish = { callId: sessionId, sessionId, medium: 'livekit', settings, dueAt: undefined } as const;
  await calls.open({ ...wish, state: begin(at, 'livekit') });
  await calls.change(sessionId, callReducer({ kind: 'call_started', at }));
}

test('settings of a live session are seen beside those of its profile, change at once, and can be taken back', async () => {
  const sessionId = await startCall();
  await beginCall(sessionId);
  expect(await view(sessionId)).toEqual({
    settings: expect.objectContaining({ ...PROFILE, silence_timeout_hold_on: 25, disconnect_delay: 5 }),
    profile: PROFILE,
    changed: [],
  });

  const { status, body } = await patch(sessionId, {
    silence_timeout_normal: 100,
    max_checkins_before_disconnect: 3,
    checkin_message: 'Are you with me?',
  });
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    sessionId,
    deadAir: {
      settings: expect.objectContaining({
        silence_timeout_normal: 100,
        silence_timeout_hold_on: 25,
        max_checkins_before_disconnect: 3,
        checkin_message: 'Are you with me?',
      }),
      profile: PROFILE,
      changed: ['silence_timeout_normal', 'checkin_message', 'max_checkins_before_disconnect'],
    },
  });
  expect(body.deadAir.settings).not.toHaveProperty('max_call_duration');
  expect(await view(sessionId)).toEqual(body.deadAir);
  // The silence that is under way is counted by them already.
  const call = await api.schema.calls.read(sessionId);
  expect((call?.dueAt ?? 0) - api.schema.clock.now()).toBeGreaterThan(90_000);

  const back = await patch(sessionId, { silence_timeout_normal: null, max_checkins_before_disconnect: null });
  expect(back.body.deadAir).toMatchObject({
    settings: { silence_timeout_normal: 9, max_checkins_before_disconnect: 2 },
    changed: ['checkin_message'],
  });
});

test('who changed what stands in the stream of the session and in the log, without what is to be said', async () => {
  const sessionId = await startCall();
  await patch(sessionId, { goodbye_message: 'So long.', disconnect_delay: 3 });
  const entries = JSON.stringify(await redis.command('XRANGE', `stream:${sessionId}`, '-', '+'));
  expect(entries).toMatch(/dead_air.*settings_changed/);
  expect(entries).toContain('goodbye_message disconnect_delay');
  expect(entries).not.toContain('So long');
  const line = api
    .log()
    .split('\n')
    .find((it) => it.includes('dead-air settings') && it.includes('goodbye'));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    message: 'dead-air settings of a session changed',
    by: 'admin',
    changed: ['goodbye_message', 'disconnect_delay'],
  });
  expect(api.log()).not.toContain('So long');
});

test('settings may be changed before both sides are there, and hold when the call begins', async () => {
  const { sessionId } = await api.start();
  expect((await patch(sessionId, { silence_timeout_normal: 50 })).status).toBe(200);
  await spawner.launchNext();
  await beginCall(sessionId);
  expect((await view(sessionId)).settings).toMatchObject({ silence_timeout_normal: 50, disconnect_delay: 5 });
});

test('a phone call is changed through its session, its longest duration too', async () => {
  const sessionId = await startCall({ profile: 'other' });
  const state = begin(Math.round(api.schema.clock.now()), 'phone');
  await api.schema.calls.open({
    callId: 'v3:phone',
    sessionId,
    medium: 'phone',
    state,
    settings: {},
    dueAt: undefined,
  });
  const { body } = await patch(sessionId, { max_call_duration: 60 });
  expect(body.deadAir).toMatchObject({
    settings: { max_call_duration: 60, silence_timeout_normal: 7 },
    profile: {},
    changed: ['max_call_duration'],
  });
  expect((await api.schema.calls.read('v3:phone'))?.settings).toEqual({ max_call_duration: 60 });
});

test('a session is seen while Redis recovers from a loss of data, though nobody can tell of its call', async () => {
  const sessionId = await startCall();
  await redis.command('DEL', 'epoch');
  const { status, body } = await api.adminGet(`/api/session/${sessionId}`);
  expect([status, body.status]).toEqual([200, 'ready']);
  expect(body).not.toHaveProperty('deadAir');
});

test('all that is wrong is told at once, and nothing is changed', async () => {
  const sessionId = await startCall();
  await beginCall(sessionId);
  const wrong = await patch(sessionId, {
    silence_timeout_normal: 'long',
    max_checkins_before_disconnect: 1.5,
    frozen_agent_action: 'reboot',
    patience: 7,
  });
  expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_request']);
  expect(wrong.body.errors.map(({ field }: { field: string }) => field)).toEqual([
    'silence_timeout_normal',
    'max_checkins_before_disconnect',
    'frozen_agent_action',
    'patience',
  ]);
  expect(wrong.body.errors[1].message).toBe(
    '"max_checkins_before_disconnect" must be a whole number from 0 to 100',
  );
  expect((await patch(sessionId, {})).body.code).toBe('invalid_request');
  expect((await api.schema.calls.read(sessionId))?.settings).toEqual(PROFILE);
});

test('where nobody watches for silence there is nothing to change; nor for others than admins', async () => {
  const unwatched = await startCall({ profile: 'other' });
  expect(await view(unwatched)).toBeUndefined();
  const answer = await patch(unwatched, { disconnect_delay: 1 });
  expect([answer.status, answer.body.code]).toEqual([409, 'no_dead_air']);
  expect(await api.schema.calls.findBySession(unwatched)).toBeUndefined();

  const watched = await startCall();
  const open = await request(api.app).patch(`/api/session/${watched}/settings`).send({ disconnect_delay: 1 });
  expect([open.status, open.body.code]).toEqual([401, 'unauthorized']);
  expect((await api.get(`/api/session/${watched}`)).body).not.toHaveProperty('deadAir');
  await api.post('/api/session/end', { sessionId: watched });
  expect((await patch(watched, { disconnect_delay: 1 })).body.code).toBe('no_dead_air');
  const gone = await patch('session_aaaaaaaaaaaaaaaaaaaaaaaa', { disconnect_delay: 1 });
  expect([gone.status, gone.body.code]).toEqual([404, 'session_not_found']);
});
