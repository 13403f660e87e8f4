import { createHash } from 'node:crypto';
import { roomMetadata, roomNameOf } from '@greenroom/contracts';
import { startLiveKit, startRedis, type TestLiveKit, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AccessToken } from 'livekit-server-sdk';
import request from 'supertest';
import { HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

const PATH = '/api/webhooks/livekit';
const SECRET = 'a-secret-that-livekit-and-the-api-share';
let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;
let heard: unknown[];
let sessionId: string;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { LIVEKIT_API_KEY: 'the-key', LIVEKIT_API_SECRET: SECRET } });
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
  await api.schema.bus.listen(`host:${HOST}:wake`, (message) => heard.push(message));
  sessionId = (await api.start()).sessionId;
  await spawner.launchNext();
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});
beforeEach(() => {
  heard = [];
});

/** An event as LiveKit sends it. */
function eventOf(fields: object = {}): string {
  const metadata = roomMetadata({
    sessionId,
    deployment: 'd',
    userId: undefined,
    userName: undefined,
    voiceId: undefined,
  });
  const room = { sid: 'RM_x', name: roomNameOf(sessionId), metadata };
  return JSON.stringify({ event: 'participant_left', id: 'EV_1', createdAt: '1790000000', room, ...fields });
}

/** As livekit-server does: a token that carries the digest of the body. */
async function signatureOf(body: string, { key = 'the-key', secret = SECRET, ttl = 300 } = {}) {
  const token = new AccessToken(key, secret, { ttl });
  token.sha256 = createHash('sha256').update(body).digest('base64');
  return token.toJwt();
}

const send = (body: string, authorization?: string) => {
  const sent = request(api.app).post(PATH).set('Content-Type', 'application/webhook+json');
  return (authorization === undefined ? sent : sent.set('Authorization', authorization)).send(body);
};

test.each(['participant_joined', 'participant_left', 'participant_connection_aborted', 'room_finished'])(
  '%s makes the owner of the session look at its room, and says nothing else to it',
  async (event) => {
    const body = eventOf({ event, participant: { identity: 'caller-x', kind: 'AGENT' } });
    const { status, body: answer } = await send(body, await signatureOf(body));
    expect([status, answer]).toEqual([200, { success: true, outcome: 'woken' }]);
    await waitFor(() => heard.length === 1);
    expect(heard).toEqual([{ kind: 'room', id: sessionId }]);
  },
);

test('an event that comes again, or years late, is the same hint and changes nothing', async () => {
  const before = await api.schema.sessions.readRaw(sessionId);
  const body = eventOf({ event: 'room_finished', createdAt: '1' });
  const signature = await signatureOf(body);
  for (let times = 1; times <= 3; times += 1) expect((await send(body, signature)).status).toBe(200);
  await waitFor(() => heard.length === 3);
  expect(await api.schema.sessions.readRaw(sessionId)).toEqual(before);
});

describe('a room that LiveKit has made', () => {
  let livekit: TestLiveKit;
  let beside: TestApi;
  beforeAll(async () => {
    livekit = await startLiveKit();
    beside = await openTestApi({ redis, livekit });
  });
  afterAll(async () => {
    await beside.close();
    await livekit.stop();
  });

  async function tellRoomMade(id: string) {
    const { metadata } = JSON.parse(eventOf()).room;
    const room = { name: roomNameOf(id), metadata: metadata.replace(sessionId, id) };
    const { sid } = await livekit.rooms.createRoom(room);
    const body = eventOf({ event: 'room_started', room: { ...room, sid } });
    const signature = await signatureOf(body, { key: livekit.apiKey, secret: livekit.apiSecret });
    const { body: answer } = await request(beside.app)
      .post(PATH)
      .set('Content-Type', 'application/webhook+json')
      .set('Authorization', signature)
      .send(body);
    return { answer, rooms: await livekit.rooms.listRooms([room.name]) };
  }

  test('for a session that lives stays', async () => {
    const { answer, rooms } = await tellRoomMade(sessionId);
    expect([answer.outcome, rooms.length]).toEqual(['ignored', 1]);
  });

  test('for one that nobody knows stays: it may be another deployment’s', async () => {
    const { answer, rooms } = await tellRoomMade('session_nobodynobodynobody00');
    expect([answer.outcome, rooms.length]).toEqual(['ignored', 1]);
  });

  test('anew while its session ended is closed', async () => {
    const { sessionId: id } = await api.start();
    const { sessions } = api.schema;
    await sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect((await sessions.read(id)).status).toBe('ended');
    const { answer, rooms } = await tellRoomMade(id);
    expect([answer.outcome, rooms.length]).toEqual(['closed', 0]);
  });

  test('anew while its session is still ending is closed; the room that the agent takes leave in is not', async () => {
    const { sessionId: id } = await api.start();
    const ref = await spawner.launchNext();
    const made = await livekit.rooms.createRoom({ name: roomNameOf(id) });
    await api.schema.sessions.replaceRoom(ref, made.sid);
    await api.schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect((await tellRoomMade(id)).answer.outcome).toBe('ignored');
    await livekit.rooms.deleteRoom(roomNameOf(id));
    const { answer, rooms } = await tellRoomMade(id);
    expect([answer.outcome, rooms.length]).toEqual(['closed', 0]);
  });
});

describe('is taken and not used', () => {
  test.each([
    ['what says nothing of who is there', () => ({ event: 'track_published' })],
    ['an event that nobody knows yet', () => ({ event: 'room_painted', colour: 'green' })],
    ['what is about no room', () => ({ event: 'participant_left', room: undefined })],
    ['a room without our mark', () => ({ room: { name: roomNameOf(sessionId), metadata: '' } })],
    ['a room with our mark under a name that is not its own', () => ({ room: renamed() })],
    ['the room of a session that is not there', () => ({ room: ofNobody() })],
  ])('%s', async (_, fields) => {
    const body = eventOf(fields());
    const { status, body: answer } = await send(body, await signatureOf(body));
    expect([status, answer.outcome]).toEqual([200, 'ignored']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual([]);
  });

  function marked(id: string, name: string) {
    return { name, metadata: JSON.stringify({ greenroom: { v: 1, sessionId: id, deployment: 'd' } }) };
  }
  const renamed = () => marked(sessionId, 'greenroom-other');
  const ofNobody = () => marked('session_nobodynobodynobody00', roomNameOf('session_nobodynobodynobody00'));
});

describe('is refused with 401, and nobody hears of it', () => {
  const another = 'another-secret-that-nobody-here-knows';
  test.each([
    ['no signature', async () => undefined],
    ['something else', async () => 'Bearer nonsense'],
    ['a signature by another secret', (body: string) => signatureOf(body, { secret: another })],
    ['a signature by another key', (body: string) => signatureOf(body, { key: 'another-key' })],
    ['a signature over another body', () => signatureOf(eventOf({ event: 'room_started' }))],
    ['a signature that has run out', (body: string) => signatureOf(body, { ttl: -60 })],
    ['a token of ours without any digest', () => new AccessToken('the-key', SECRET, { ttl: 60 }).toJwt()],
  ])('%s', async (_, sign) => {
    const body = eventOf();
    const answer = await send(body, await sign(body));
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.text).not.toContain(SECRET);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual([]);
  });

  test('a body of which one byte of white space is not as it was signed', async () => {
    const body = eventOf();
    expect((await send(`${body} `, await signatureOf(body))).status).toBe(401);
    expect((await send(body, await signatureOf(body))).status).toBe(200);
    await waitFor(() => heard.length === 1);
  });
});

test('a body of more than 64 KiB is refused with 413, signed or not', async () => {
  const body = eventOf({ id: 'x'.repeat(65 * 1024) });
  for (const signature of [undefined, await signatureOf(body)]) {
    const answer = await send(body, signature);
    expect([answer.status, answer.body.code]).toEqual([413, 'payload_too_large']);
  }
  expect(heard).toEqual([]);
});

test('is answered with 503 while Redis is away, so that LiveKit sends it again', async () => {
  const body = eventOf();
  const signature = await signatureOf(body);
  redis.pause();
  try {
    const answer = await send(body, signature);
    expect([answer.status, answer.body.code]).toEqual([503, 'redis_unavailable']);
  } finally {
    redis.resume();
  }
});

test('what arrived is counted by its outcome', async () => {
  const { text } = await api.get('/metrics');
  for (const outcome of ['woken', 'ignored', 'refused']) {
    expect(text).toMatch(
      new RegExp(`greenroom_livekit_webhooks_total\\{outcome="${outcome}",service="api"\\} [1-9]`),
    );
  }
});
