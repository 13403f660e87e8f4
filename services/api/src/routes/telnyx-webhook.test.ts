import { randomUUID } from 'node:crypto';
import { startTelnyx } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { ADMIN_TOKEN, openTestApi } from '../testing/test-api.js';
import { INCOMING, PATH, TelnyxDesk } from '../testing/telnyx-desk.js';

let desk: TelnyxDesk;
beforeAll(async () => {
  desk = await TelnyxDesk.open();
});
afterAll(() => desk.close());
afterEach(() => desk.clear());

const OF_CALLS = /^(call|calls|session|sessions|stream):/;

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
    const call = await desk.answered();
    const before = await desk.everything(OF_CALLS);
    const event = call.eventOf('call.hangup');
    const { body, headers } = forge ? await forge(event) : desk.telnyx.signed(event);
    const answer = await request(desk.api.app)
      .post(PATH)
      .set({ ...headers, ...replaced })
      .send(body);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(await desk.everything(OF_CALLS)).toBe(before);
  });

  test.each([
    ['what is 301 s old', -302_000],
    ['what comes 301 s too early', 302_000],
  ])('%s', async (_, offset) => {
    const call = await desk.answered();
    expect(
      await desk.post(call.eventOf('call.hangup'), desk.api, undefined, Date.now() + offset),
    ).toMatchObject({
      status: 401,
    });
    expect((await desk.read(call)).callId).toBe(call.id);
  });

  test('a body of which one byte was changed', async () => {
    const call = await desk.answered();
    const [, another] = [0, await desk.answered()];
    const event = call.eventOf('call.hangup');
    const redirected = (body: string) => body.replace(call.id, another.id);
    expect(await desk.post(event, desk.api, redirected)).toMatchObject({ status: 401 });
    expect(await desk.post(event, desk.api, (body) => `${body} `)).toMatchObject({ status: 401 });
    expect(await desk.read(another)).toBeDefined();
    expect(await desk.post(event)).toMatchObject({ status: 200 });
  });

  test('what is forged is refused before anything of it is read', async () => {
    const answer = await request(desk.api.app)
      .post(PATH)
      .set('Content-Type', 'application/json')
      .send('{no json');
    expect(answer.status).toBe(401);
  });
});

describe('hostile input, properly signed', () => {
  const raw = async (body: string) => {
    const { headers } = desk.telnyx.signed({} as never);
    const { status, body: answer } = await request(desk.api.app)
      .post(PATH)
      .set({ ...headers, ...sign(body) })
      .send(body);
    return [status, answer.code ?? answer.outcome];
  };
  const sign = (body: string) => desk.telnyx.headersFor(body);

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
    expect(await desk.api.schema.calls.read(id)).toMatchObject({ callId: id, medium: 'phone' });
    await desk.api.schema.calls.close(id);
  });
});

test('is answered with 503 while Redis is away, and taken when Telnyx sends it again', async () => {
  const call = await desk.dial();
  const event = call.eventOf('call.answered');
  desk.redis.pause();
  try {
    expect(await desk.post(event)).toMatchObject({ status: 503, code: 'redis_unavailable' });
  } finally {
    desk.redis.resume();
  }
  expect(await desk.post(event)).toMatchObject({ status: 200 });
  expect((await desk.read(call)).state).toMatchObject({ startedAt: expect.any(Number) });
});

test('without the keys of an account there is nothing at this address', async () => {
  const without = await openTestApi({ redis: desk.redis });
  const { status, body } = await request(without.app).post(PATH).set(desk.telnyx.headersFor('{}')).send('{}');
  expect([status, body.code]).toEqual([404, 'not_found']);
  expect(body.detail).toContain('TELNYX_API_KEY');
  await without.close();
});

test('what arrived is counted by its outcome, and the key is nowhere in the log', async () => {
  const call = await desk.dial();
  const answered = call.eventOf('call.answered');
  await desk.post(answered);
  await desk.post(answered);
  await desk.deliver(desk.telnyx.dial(), 'call.hangup');
  await desk.post(answered, desk.api, (body) => `${body} `);
  const { text } = await desk.api.get('/metrics');
  for (const outcome of ['taken', 'duplicate', 'ignored', 'refused']) {
    expect(text).toMatch(
      new RegExp(`greenroom_telnyx_webhooks_total\\{outcome="${outcome}",service="api"\\} [1-9]`),
    );
  }
  expect(desk.api.log()).not.toContain(desk.telnyx.apiKey);
  expect(desk.api.log()).not.toContain(ADMIN_TOKEN);
});
