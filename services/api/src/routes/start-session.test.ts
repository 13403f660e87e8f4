import { readRoomMark, type StartedCold, type StartedReady } from '@greenroom/contracts';
import { startLiveKit, startRedis, type TestLiveKit, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TokenVerifier } from 'livekit-server-sdk';
import { CLIENT_KEY, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let livekit: TestLiveKit;
let api: TestApi;
let keyed: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  [redis, livekit] = await Promise.all([startRedis(), startLiveKit()]);
  api = await openTestApi({ redis, livekit });
  keyed = await openTestApi({ redis, livekit, env: { CLIENT_API_KEYS: `${CLIENT_KEY},another-key` } });
  spawner = new StandInSpawner(api.schema);
});
afterAll(async () => {
  await Promise.all([api.close(), keyed.close()]);
  await Promise.all([redis.stop(), livekit.stop()]);
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await spawner.register();
});

const startKeyed = (body: object, key = CLIENT_KEY) =>
  keyed.post('/api/session/start', body).set('Authorization', `Bearer ${key}`);

describe('a warm start', () => {
  test('answers ready with the room of the warm agent, and is measured', async () => {
    const id = await spawner.warmUp();
    const { status, body } = await api.post('/api/session/start', { userName: 'Ada', voiceId: 'awb' });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      sessionId: id,
      status: 'ready',
      prewarmed: true,
      message: expect.any(String),
      latency: expect.stringMatching(/^\d+ ms$/),
      roomName: `greenroom-${id}`,
      livekitUrl: livekit.url,
      token: expect.any(String),
    });
  });

  test('tells the warm agent through the room who the caller is', async () => {
    const id = await spawner.warmUp();
    const name = `greenroom-${id}`;
    await livekit.rooms.createRoom({ name });
    await api.start({ userId: 'u1', userName: 'Ada', voiceId: 'awb' });
    const metadata = await waitFor(async () => (await livekit.rooms.listRooms([name]))[0]?.metadata);
    expect(JSON.parse(metadata)).toMatchObject({ userId: 'u1', userName: 'Ada', voiceId: 'awb' });
    expect(readRoomMark(metadata)).toMatchObject({ sessionId: id, deployment: expect.any(String) });
    await livekit.rooms.deleteRoom(name);
  });

  test('never gives one agent to two callers', async () => {
    await spawner.warmUp();
    await spawner.warmUp();
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.start()));
    expect(new Set(answers.map((answer) => answer.sessionId)).size).toBe(6);
    expect(answers.filter((answer) => answer.status === 'ready')).toHaveLength(2);
  });
});

describe('a cold start', () => {
  test('answers starting, and the launch is listed and rung for', async () => {
    const { status, body } = await api.post('/api/session/start', { userName: 'Ada' });
    expect(status).toBe(202);
    expect(body).toMatchObject({
      success: true,
      sessionId: expect.stringMatching(/^session_[A-Za-z0-9_-]{24}$/),
      status: 'starting',
      prewarmed: false,
      estimatedWait: expect.stringMatching(/^[\d.]+ m?s$/),
      estimatedWaitMs: expect.any(Number),
      livekitUrl: livekit.url,
    });
    expect(body.taskId).toBe(body.sessionId);
    expect(await redis.command('ZRANGE', 'spawn:pending', 0, -1)).toEqual([body.sessionId]);
    await waitFor(
      async () => Number(await redis.command('EXISTS', 'bull:spawn:prioritized', 'bull:spawn:wait')) > 0,
    );
  });

  test('a request without any body is a start too', async () => {
    expect((await api.post('/api/session/start')).status).toBe(202);
  });

  test('makes the room before it answers: with this token the caller may join at once, this room only', async () => {
    const { roomName, token } = (await api.start({
      userId: 'u1',
      userName: 'Ada',
      voiceId: 'awb',
    })) as StartedCold;
    const [room] = await livekit.rooms.listRooms([roomName]);
    expect(room).toMatchObject({ emptyTimeout: 15_000, departureTimeout: 330 });
    const validate = (jwt: string) => fetch(`${livekit.httpUrl}/rtc/validate?access_token=${jwt}`);
    expect((await validate(token)).status).toBe(200);

    const claims = await new TokenVerifier(livekit.apiKey, livekit.apiSecret).verify(token);
    expect(claims).toMatchObject({
      sub: expect.stringMatching(/^caller-[0-9a-z]{12}$/),
      name: 'Ada',
      attributes: { userId: 'u1', userName: 'Ada', voiceId: 'awb' },
    });
    expect(claims.video).toEqual({
      roomJoin: true,
      room: roomName,
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
      canUpdateOwnMetadata: false,
      roomAdmin: false,
    });
    expect(Number(claims.exp) - Date.now() / 1000).toBeLessThanOrEqual(601);
    expect(claims.roomConfig?.agents ?? []).toEqual([]);

    await livekit.rooms.deleteRoom(roomName);
    expect((await validate(token)).status).toBe(404);
  });

  test('succeeds when LiveKit is away: the spawner makes the room too', async () => {
    const away = await openTestApi({ redis });
    try {
      expect((await away.post('/api/session/start')).status).toBe(202);
      expect(away.log()).toContain('cannot create the room yet');
    } finally {
      await away.close();
    }
  });

  test('waits for a LiveKit that hangs no longer than 800 ms', async () => {
    livekit.pause();
    try {
      const startedAt = performance.now();
      expect((await api.post('/api/session/start')).status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    } finally {
      livekit.resume();
    }
  });
});

describe('who starts', () => {
  test('20 starts at once for one user of a keyed client are one session', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => startKeyed({ userId: 'u1' })));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    expect(new Set(answers.map(({ body }) => body.sessionId)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.roomName)).size).toBe(1);
  });

  test('equal user ids of two clients are two users', async () => {
    const first = await startKeyed({ userId: 'u1' });
    const second = await startKeyed({ userId: 'u1' }, 'another-key');
    expect(first.body.sessionId).not.toBe(second.body.sessionId);
  });

  test('an open client that names a user with a session gets 409, unless it knows that session', async () => {
    const { sessionId } = await api.start({ userId: 'u1' });
    const stranger = await api.post('/api/session/start', { userId: 'u1' });
    expect([stranger.status, stranger.body.code]).toEqual([409, 'user_busy']);
    expect(JSON.stringify(stranger.body)).not.toContain(sessionId);
    const again = await api.post('/api/session/start', { userId: 'u1', sessionId });
    expect([again.status, again.body.sessionId]).toEqual([202, sessionId]);
  });

  test('the own live session that is ready by now is answered ready', async () => {
    const first = await startKeyed({ userId: 'u1' });
    await spawner.launchNext();
    const again = await startKeyed({ userId: 'u1' });
    expect([again.status, again.body.sessionId, again.body.status]).toEqual([
      200,
      first.body.sessionId,
      'ready',
    ]);
    expect((again.body as StartedReady).token).not.toBe(first.body.token);
  });

  test('without a key a client with keys configured is refused', async () => {
    const { status, headers, body } = await keyed.post('/api/session/start');
    expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'unauthorized', 'Bearer']);
  });
});

describe('an Idempotency-Key', () => {
  const startOnce = (body: object, key = 'order-1') => startKeyed(body).set('Idempotency-Key', key);

  test('gives the same session again, built anew from its state', async () => {
    const first = await startOnce({ userName: 'Ada', metadata: { a: 1, b: 2 } });
    await spawner.launchNext();
    const again = await startOnce({ metadata: { b: 2, a: 1 }, userName: 'Ada' });
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body.sessionId).toBe(first.body.sessionId);
  });

  test('with another body is a mistake', async () => {
    await startOnce({ userName: 'Ada' });
    const { status, body } = await startOnce({ userName: 'Bob' });
    expect([status, body.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('of a session that is over says so', async () => {
    const { body } = await startOnce({});
    await keyed.adminPost('/api/session/end', { sessionId: body.sessionId });
    const again = await startOnce({});
    expect([again.status, again.body.code]).toEqual([404, 'session_ended']);
  });

  test('is each client’s own', async () => {
    const first = await startOnce({});
    const second = await startKeyed({}, 'another-key').set('Idempotency-Key', 'order-1');
    expect(second.body.sessionId).not.toBe(first.body.sessionId);
  });

  test('must be printable', async () => {
    const { status, body } = await startOnce({}, 'x'.repeat(256));
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });
});

describe('no place', () => {
  test('MAX_SESSIONS callers are enough: 503 with Retry-After', async () => {
    const small = await openTestApi({ redis, livekit, env: { MAX_SESSIONS: '1', QUEUE_MAX: '0' } });
    try {
      await small.start();
      const { status, headers, body } = await small.post('/api/session/start');
      expect([status, body.code]).toEqual([503, 'at_capacity']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await small.close();
    }
  });

  test('MAX_SESSIONS_PER_CLIENT is for each client, those in line included: 429 with Retry-After', async () => {
    const env = { MAX_SESSIONS: '1', MAX_SESSIONS_PER_CLIENT: '2', CLIENT_API_KEYS: 'one,two' };
    const small = await openTestApi({ redis, livekit, env });
    const startAs = (key: string) => small.post('/api/session/start').set('Authorization', `Bearer ${key}`);
    try {
      expect((await startAs('one')).body.status).toBe('starting');
      expect((await startAs('one')).body).toMatchObject({ status: 'queued', position: 1 });
      const { status, headers, body } = await startAs('one');
      expect([status, body.code]).toEqual([429, 'client_limit']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect((await startAs('two')).body.status).toBe('queued');
      // Whoever runs this is not a client.
      for (const _ of [1, 2, 3]) expect((await small.adminPost('/api/session/start')).status).toBe(202);
    } finally {
      await small.close();
    }
  });

  test('no spawner: 503 with Retry-After', async () => {
    await redis.command('FLUSHALL');
    const { status, headers, body } = await api.post('/api/session/start');
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'no_host', '5']);
  });

  test('a profile that nobody runs: 400', async () => {
    const { status, body } = await api.post('/api/session/start', { profile: 'butler' });
    expect([status, body.code]).toEqual([400, 'unknown_profile']);
  });
});
