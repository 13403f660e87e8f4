import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ADMIN_TOKEN, CLIENT_KEY, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

const LIVEKIT_SECRET = 'livekit-secret-of-this-very-test';
let redis: TestRedis;
let api: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({
    redis,
    env: { CLIENT_API_KEYS: CLIENT_KEY, LIVEKIT_API_SECRET: LIVEKIT_SECRET },
  });
  await new StandInSpawner(api.schema).register();
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

const lines = () =>
  api
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('no line holds a key, a token or a session id, whatever goes through', async () => {
  const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
  const started = await api
    .post('/api/session/start', { userName: 'Ada', userId: 'u1' })
    .set(bearer(CLIENT_KEY));
  const { sessionId, token } = started.body;
  await api.get(`/api/session/${sessionId}`);
  await api.get(`/api/session/${sessionId}?key=${CLIENT_KEY}`).set(bearer('guessed-key'));
  const minted = await api.post('/api/token', { sessionId });
  await api.adminGet(`/api/session/${sessionId}/logs?tail=${ADMIN_TOKEN}`);
  await api.get(`/api/nothing/${sessionId}?token=${token}`);
  await api.post('/api/session/end', { sessionId, reason: ADMIN_TOKEN });
  await api.post('/api/session/end', { sessionId });
  await waitFor(() => lines().filter(({ message }) => message === 'request').length === 8);

  const log = api.log();
  const secrets = [
    ADMIN_TOKEN,
    CLIENT_KEY,
    LIVEKIT_SECRET,
    'guessed-key',
    sessionId,
    token,
    minted.body.participant_token,
  ];
  for (const secret of secrets) expect([secret, log.includes(secret)]).toEqual([secret, false]);
  expect(log).not.toMatch(/eyJ|Bearer [^[]/);
});

test('a line says what was asked by its pattern, how it went and who asked', async () => {
  await api.get('/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa').set('X-Request-Id', 'find-me');
  await waitFor(() => lines().some(({ requestId }) => requestId === 'find-me'));
  expect(lines().find(({ requestId }) => requestId === 'find-me')).toMatchObject({
    level: 'info',
    service: 'api',
    method: 'GET',
    route: '/api/session/:id',
    status: 404,
    durationMs: expect.any(Number),
    client: 'open',
    address: expect.stringMatching(/127\.0\.0\.1$/),
  });
});

test('the same is counted for the monitoring, without ids', async () => {
  const { text } = await api.get('/metrics');
  expect(text).toMatch(
    /greenroom_http_request_duration_seconds_count\{.*route="\/api\/session\/:id".*\} [1-9]/,
  );
  expect(text).toMatch(/greenroom_session_starts_total\{outcome="created",service="api"\} 1/);
  expect(text).not.toMatch(/session_[A-Za-z0-9_-]{20}/);
});
