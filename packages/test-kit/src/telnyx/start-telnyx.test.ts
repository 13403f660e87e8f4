import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '../wait-for.js';
import type { PhoneCall } from './phone-call.js';
import { startTelnyx, type TelnyxOptions, type TestTelnyx } from './start-telnyx.js';
import type { TelnyxEvent } from './types.js';

interface Webhook {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  readonly event: TelnyxEvent;
  readonly attempt: number;
}

interface Api {
  readonly url: string;
  readonly got: Webhook[];
  /** Answers the next one with this. */
  status: number;
}

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function startApi(): Promise<Api> {
  const api: Api = { url: '', got: [], status: 200 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { data: event, meta } = JSON.parse(body);
      api.got.push({ body, headers: request.headers, event, attempt: meta.attempt });
      response.writeHead(api.status).end();
      api.status = 200;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => void server.close());
  return Object.assign(api, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function start(options?: TelnyxOptions): Promise<TestTelnyx> {
  const telnyx = await startTelnyx(options);
  undo.push(() => telnyx.stop());
  return telnyx;
}

async function command(
  { url, apiKey }: TestTelnyx,
  { id }: Pick<PhoneCall, 'id'>,
  action: string,
  body: object = {},
  key = apiKey,
): Promise<unknown[]> {
  const response = await fetch(`${url}/calls/${encodeURIComponent(id)}/actions/${action}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- of two shapes
  const answer = (await response.json()) as any;
  return [response.status, answer.data?.result ?? answer.errors[0].code];
}

const SPEAK = { payload: 'Are you there?', voice: 'female' };

test('a whole call: commands have their effect, and webhooks tell of it with true times and a signature', async () => {
  const api = await startApi();
  const telnyx = await start({ apiUrls: [api.url], speakMs: () => 100 });
  const call = telnyx.dial({ from: '+4912345' });
  expect(call.id).toMatch(/^v3:/);
  expect(await command(telnyx, call, 'answer', { transcription: true })).toEqual([200, 'ok']);
  await command(telnyx, call, 'speak', { ...SPEAK, client_state: 'b25l' });
  await command(telnyx, call, 'speak', SPEAK);
  await waitFor(() => api.got.length === 6);
  await call.callerSays('yes I am', 100);
  await call.agentSpeaks(20);
  call.hangup();
  await telnyx.settled();

  expect(api.got.map(({ event }) => event.event_type)).toEqual([
    'call.initiated',
    'call.answered',
    'call.speak.started',
    'call.speak.ended',
    'call.speak.started',
    'call.speak.ended',
    'call.transcription',
    'call.transcription',
    'call.playback.started',
    'call.playback.ended',
    'call.hangup',
  ]);
  for (const { event } of api.got) {
    expect(event.payload).toMatchObject({ call_control_id: call.id, call_session_id: call.sessionId });
    expect(Math.abs(Date.now() - Date.parse(event.occurred_at))).toBeLessThan(5_000);
  }
  const at = (index: number) => Date.parse(api.got[index]!.event.occurred_at);
  expect(at(3) - at(2)).toBeGreaterThanOrEqual(95);
  // One after the other, and what is told later carries the state that was given last.
  expect(at(4)).toBeGreaterThanOrEqual(at(3));
  expect(api.got.slice(1, 6).map(({ event }) => event.payload.client_state)).toEqual([
    null,
    'b25l',
    'b25l',
    'b25l',
    'b25l',
  ]);

  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(telnyx.publicKey, 'base64').toString('base64url') },
    format: 'jwk',
  });
  const isGenuine = ({ body, headers }: Webhook, text = body) =>
    verify(
      null,
      Buffer.from(`${String(headers['telnyx-timestamp'])}|${text}`),
      key,
      Buffer.from(String(headers['telnyx-signature-ed25519']), 'base64'),
    );
  expect(api.got.every((it) => isGenuine(it))).toBe(true);
  expect(isGenuine(api.got[0]!, `${api.got[0]!.body} `)).toBe(false);
});

test('a command_id counts once a call; what cannot be done is refused with the code of the real one', async () => {
  const telnyx = await start();
  const [call, other] = [telnyx.dial(), telnyx.dial()];
  expect(await command(telnyx, call, 'answer', {}, 'wrong')).toEqual([401, '10009']);
  expect(await command(telnyx, call, 'speak', SPEAK)).toEqual([422, '90034']);
  for (const it of [call, other]) await command(telnyx, it, 'answer', { command_id: 'a' });
  expect(await command(telnyx, call, 'speak', { payload: 'no voice' })).toEqual([422, '10004']);
  for (const it of [call, call, other]) {
    expect(await command(telnyx, it, 'speak', { ...SPEAK, command_id: 'b' })).toEqual([200, 'ok']);
  }
  expect(call.requests.map((it) => `${it.action} ${it.outcome}`)).toEqual([
    'speak refused',
    'answer done',
    'speak refused',
    'speak done',
    'speak duplicate',
  ]);
  expect(other.commands('speak')).toHaveLength(1);
  expect(await command(telnyx, call, 'hangup')).toEqual([200, 'ok']);
  expect(await command(telnyx, call, 'hangup')).toEqual([422, '90018']);
  expect(await command(telnyx, { id: 'v3:nobody' }, 'hangup')).toEqual([404, '10005']);
  expect(await command(telnyx, { id: 'nonsense' }, 'hangup')).toEqual([422, '90015']);
});

test('told to, it fails, loses the answer of what it has done, and hangs', async () => {
  const telnyx = await start();
  const call = telnyx.dial();
  await command(telnyx, call, 'answer');
  telnyx.disturb({ kind: 'fail', status: 503 }, 1);
  expect(await command(telnyx, call, 'speak', SPEAK)).toEqual([503, '10007']);
  expect(call.commands('speak')).toHaveLength(0);
  telnyx.disturb({ kind: 'lose' }, 1);
  await expect(command(telnyx, call, 'speak', { ...SPEAK, command_id: 'a' })).rejects.toThrow();
  expect(call.commands('speak')).toHaveLength(1);
  await command(telnyx, call, 'speak', { ...SPEAK, command_id: 'a' });
  expect(call.commands('speak')).toHaveLength(1);
  telnyx.disturb({ kind: 'hang' }, 1, (_, action) => action === 'hangup');
  void command(telnyx, call, 'hangup').catch(() => undefined);
  await waitFor(() => call.requests.at(-1)?.outcome === 'hung');
  expect(call.status).toBe('answered');
});

test('webhooks go to the apis in turn, overtake each other, come twice, and come again when refused', async () => {
  const apis = [await startApi(), await startApi()];
  const telnyx = await start({ apiUrls: apis.map(({ url }) => url), maxDelayMs: 60, doubled: 1 });
  const call = telnyx.dial();
  apis[0]!.status = 500;
  for (let i = 0; i < 20; i += 1) call.tell('call.test', { i });
  await telnyx.settled();
  const got = apis.flatMap((it) => it.got);
  expect(got).toHaveLength(2 * 21 + 1);
  for (const api of apis) expect(Math.abs(api.got.length - got.length / 2)).toBeLessThanOrEqual(1);
  expect(new Set(got.map(({ event }) => event.id)).size).toBe(21);
  const again = got.filter(({ attempt }) => attempt === 2);
  expect(again).toHaveLength(1);
  expect(got.filter(({ event }) => event.id === again[0]!.event.id)).toHaveLength(3);
  const order = telnyx.deliveries.map(
    ({ event }) => Date.parse(event.occurred_at) * 100 + Number(event.payload.i ?? 0),
  );
  expect(order).not.toEqual([...order].sort((a, b) => a - b));
});

test.each([
  [{ fails: 'user_busy' }, 'user_busy'],
  ['rings', 'originator_cancel'],
] as const)(
  'a leg that %p ends without its call, or with it, and bears what the transfer gave it',
  async (fate, cause) => {
    const api = await startApi();
    const telnyx = await start({ apiUrls: [api.url] });
    telnyx.transfersGo(fate);
    const call = telnyx.dial();
    await command(telnyx, call, 'answer');
    await command(telnyx, call, 'transfer', { to: 'sip:a@example.test', target_leg_client_state: 'bGVn' });
    expect(call.status).toBe('answered');
    if (fate === 'rings') call.hangup();
    const [leg] = call.legs;
    await telnyx.settled();
    const events = api.got.filter(({ event }) => event.payload.call_control_id === leg!.id);
    const told = events.map(({ event: { event_type, payload } }) => [event_type, payload.client_state]);
    expect(told).toHaveLength(2);
    expect(Object.fromEntries(told)).toEqual({ 'call.initiated': 'bGVn', 'call.hangup': 'bGVn' });
    const ended = events.find(({ event }) => event.event_type === 'call.hangup');
    expect(ended!.event.payload).toMatchObject({ hangup_cause: cause });
  },
);

test('a transfer makes another leg with events of its own, and both end together', async () => {
  const api = await startApi();
  const telnyx = await start({ apiUrls: [api.url] });
  const call = telnyx.dial();
  await command(telnyx, call, 'answer');
  await command(telnyx, call, 'transfer', { to: 'sip:room@example.test' });
  const [leg] = call.legs;
  expect(leg).toMatchObject({
    to: 'sip:room@example.test',
    direction: 'outgoing',
    sessionId: call.sessionId,
  });
  await command(telnyx, call, 'hangup');
  await telnyx.settled();
  const told = api.got.map(({ event }) => [event.event_type, event.payload.call_control_id]);
  expect(told.filter(([type]) => type === 'call.hangup')).toEqual(
    expect.arrayContaining([call.id, leg!.id].map((id) => ['call.hangup', id])),
  );
  expect(api.got.find(({ event }) => event.payload.direction === 'outgoing')).toBeDefined();
});
