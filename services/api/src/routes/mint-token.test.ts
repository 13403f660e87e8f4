import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TokenVerifier } from 'livekit-server-sdk';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;
let sessionId: string;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { LIVEKIT_PUBLIC_URL: 'wss://livekit.example' } });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await spawner.register();
  sessionId = (await api.start({ userId: 'u1', userName: 'Ada', voiceId: 'awb' })).sessionId;
});

const mint = (body: object) => api.post('/api/token', body);

async function claimsOf(token: string) {
  const { livekitApiKey, livekitApiSecret } = api.context.config;
  return new TokenVerifier(livekitApiKey, livekitApiSecret).verify(token);
}

test('a token for the session’s own room, under both kinds of names', async () => {
  const { status, body } = await mint({ sessionId, userName: 'Countess' });
  expect(status).toBe(201);
  expect(body).toEqual({
    server_url: 'wss://livekit.example',
    participant_token: expect.any(String),
    serverUrl: 'wss://livekit.example',
    participantToken: body.participant_token,
  });
  const claims = await claimsOf(body.participant_token);
  expect(claims).toMatchObject({
    sub: expect.stringMatching(/^caller-/),
    name: 'Countess',
    attributes: { userId: 'u1', userName: 'Countess', voiceId: 'awb' },
    video: { roomJoin: true, room: `greenroom-${sessionId}`, roomAdmin: false },
  });
});

test('each token has an identity of its own', async () => {
  const tokens = await Promise.all([mint({ sessionId }), mint({ sessionId })]);
  const [one, two] = await Promise.all(tokens.map(({ body }) => claimsOf(body.participant_token)));
  expect(one?.sub).not.toBe(two?.sub);
});

describe('the body of LiveKit’s standard endpoint', () => {
  test('is understood, with nothing in it that could play another part', async () => {
    const { status, body } = await mint({
      room_name: `greenroom-${sessionId}`,
      participant_name: 'Bob',
      participant_identity: `agent-${sessionId}-g1`,
      participant_metadata: '{"theme":"dark"}',
      participant_attributes: { theme: 'dark', userId: 'somebody-else', 'lk.agent.state': 'speaking' },
      room_config: { agents: [{ agent_name: 'intruder' }], emptyTimeout: 1 },
    });
    expect(status).toBe(201);
    const claims = await claimsOf(body.participant_token);
    expect(claims).toMatchObject({
      sub: expect.stringMatching(/^caller-/),
      name: 'Bob',
      metadata: '{"theme":"dark"}',
    });
    expect(claims.attributes).toEqual({ theme: 'dark', userId: 'u1', userName: 'Bob', voiceId: 'awb' });
    expect(JSON.stringify(claims)).not.toContain('intruder');
    expect(claims.roomConfig?.emptyTimeout).toBe(15_000);
  });

  test('cannot say who the caller is where the session does not know it either', async () => {
    const anonymous = (await api.start()).sessionId;
    const { body } = await mint({
      sessionId: anonymous,
      participant_attributes: { userId: 'somebody', theme: 'dark' },
    });
    expect((await claimsOf(body.participant_token)).attributes).toEqual({ theme: 'dark' });
  });

  test('may say the session in the query, for clients that know only the standard', async () => {
    expect((await api.post(`/api/token?sessionId=${sessionId}`, { participant_name: 'Bob' })).status).toBe(
      201,
    );
  });

  test('never gives a room that is not the session’s', async () => {
    const other = (await api.start()).sessionId;
    const { status, body } = await mint({ sessionId, room_name: `greenroom-${other}` });
    expect([status, body.code]).toEqual([403, 'forbidden']);
    expect((await mint({ room_name: 'their-own-room' })).status).toBe(404);
  });
});

test('minting starts nothing', async () => {
  const before = await redis.command('DBSIZE');
  await mint({ sessionId });
  await mint({});
  await mint({ sessionId: 'session_aaaaaaaaaaaaaaaaaaaaaaaa' });
  expect(await redis.command('DBSIZE')).toBe(before);
});

describe('no token', () => {
  test('without a session', async () => {
    const { status, body } = await mint({ participant_name: 'Bob' });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });

  test('for a warm agent that belongs to nobody, and not for an admin either', async () => {
    const id = await (async () => {
      await spawner.launchNext();
      return spawner.warmUp();
    })();
    expect((await mint({ sessionId: id })).body.code).toBe('session_not_found');
    expect((await api.adminPost('/api/token', { sessionId: id })).body.code).toBe('session_not_joinable');
  });

  test('for a session that is ending, failed or over', async () => {
    const ref = await spawner.launchNext();
    await api.post('/api/session/end', { sessionId });
    const ending = await mint({ sessionId });
    expect([ending.status, ending.body.code]).toEqual([409, 'session_not_joinable']);
    await api.schema.sessions.finishEnd(sessionId, ref.generation);
    expect((await mint({ sessionId })).body.code).toBe('session_ended');
  });
});
