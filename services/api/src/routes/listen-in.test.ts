import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { TokenVerifier } from 'livekit-server-sdk';
import { mintListenerToken, newListenerIdentity } from '../listen-in/listener-token.js';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

// How a caller is told and what a listener may: tests/listen-in.test.ts, in real rooms.

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { LISTEN_IN: 'announced', MAX_SESSIONS: '1' } });
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

async function ask(id: string, at: TestApi = api) {
  const { status, body } = await at.adminPost(`/api/session/${id}/listen`);
  return [status, body.code];
}

const listened = (id: string) => redis.command('HGET', `session:${id}`, 'listened');

test('unless the deployment says otherwise, nobody listens', async () => {
  const byDefault = await openTestApi({ redis });
  const { sessionId } = await api.start();
  await spawner.launchNext();
  expect(await ask(sessionId, byDefault)).toEqual([403, 'listen_in_off']);
  expect((await byDefault.adminGet(`/api/session/${sessionId}/timeline`)).body.listenIn).toBe('off');
  expect((await api.adminGet(`/api/session/${sessionId}/timeline`)).body.listenIn).toBe('announced');
  await byDefault.close();
});

test('only admins may, and only on a call whose agent is ready', async () => {
  const { sessionId } = await api.start();
  expect((await api.post(`/api/session/${sessionId}/listen`)).status).toBe(401);
  expect(await ask(sessionId)).toEqual([409, 'caller_not_told']);
  const queued = await api.start();
  expect(queued.status).toBe('queued');
  expect(await ask(queued.sessionId)).toEqual([409, 'caller_not_told']);
  await spawner.launchNext();
  expect(await ask(await spawner.warmUp())).toEqual([409, 'caller_not_told']);
  expect(await ask('session_aaaaaaaaaaaaaaaaaaaaaaaa')).toEqual([404, 'session_not_found']);
});

test('a LiveKit that cannot be asked tells nobody: no token, and nothing noted', async () => {
  const { sessionId } = await api.start();
  await spawner.launchNext();
  expect(await ask(sessionId)).toEqual([503, 'livekit_unavailable']);
  expect(await listened(sessionId)).toBeNull();
});

test('its token hears one room for a minute, is seen, keeps its mark, and may nothing else', async () => {
  const keys = { livekitApiKey: 'key', livekitApiSecret: 'a-secret-that-is-long-enough-for-this' };
  const identity = newListenerIdentity();
  expect(identity).toMatch(/^listener-[a-z0-9]{12}$/);
  expect(newListenerIdentity()).not.toBe(identity);
  const token = await mintListenerToken(keys, { identity, roomName: 'greenroom-x' });
  const claims = await new TokenVerifier(keys.livekitApiKey, keys.livekitApiSecret).verify(token);
  expect(claims).toMatchObject({
    sub: identity,
    kind: 'ingress',
    attributes: { 'greenroom.role': 'listener' },
  });
  expect(claims.video).toEqual({
    roomJoin: true,
    room: 'greenroom-x',
    hidden: false,
    canSubscribe: true,
    canPublish: false,
    canPublishData: false,
    canUpdateOwnMetadata: false,
    roomAdmin: false,
  });
  const { joinBy } = JSON.parse(claims.metadata ?? '');
  expect(Math.abs(joinBy - Date.now() - 120_000)).toBeLessThan(5_000);
  const leftS = (claims.exp ?? 0) - Date.now() / 1000;
  expect(leftS).toBeGreaterThan(50);
  expect(leftS).toBeLessThanOrEqual(60);
});

test('no caller can make itself look like one: attributes of that name are left out of its token', async () => {
  const { sessionId } = await api.start();
  const { body } = await api.post('/api/token', {
    sessionId,
    participant_attributes: { 'greenroom.role': 'listener', mood: 'fine' },
  });
  const [, payload = ''] = body.participant_token.split('.');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).attributes).toEqual({ mood: 'fine' });
});
