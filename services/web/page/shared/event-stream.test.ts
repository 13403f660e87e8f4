import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import { followEvents, type StreamEvent, type StreamOptions } from './event-stream.js';

let server: Server | undefined;
let stop: (() => void) | undefined;

afterEach(async () => {
  stop?.();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  server = stop = undefined;
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A stream that answers its first reader with the first of `answers`, and so on; the last one stays. */
async function follow(answers: Answer[], options: Partial<StreamOptions> = {}) {
  const asked: IncomingMessage[] = [];
  const askedAt: number[] = [];
  server = createServer((request, response) => {
    asked.push(request);
    askedAt.push(Date.now());
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    answer?.(response, request);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const events: StreamEvent[] = [];
  const statuses: string[] = [];
  const overs: (string | undefined)[] = [];
  stop = followEvents({
    path: `http://127.0.0.1:${port}/`,
    onEvent: (event) => events.push(event),
    onStatus: (status) => statuses.push(status),
    onOver: (problem) => overs.push(problem?.code),
    timing: { firstRetryMs: 20, longestRetryMs: 80, silenceLimitMs: 5_000 },
    ...options,
  });
  return { asked, askedAt, events, statuses, overs };
}

const open = (response: ServerResponse) => response.writeHead(200, { 'Content-Type': 'text/event-stream' });
const event = (id: string, name: string, data: object) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const refuse =
  (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response
      .writeHead(status, { 'Content-Type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ code, detail: code }));

test('a stream that was cut is read on where it was, and its end is the end', async () => {
  const seen = await follow(
    [
      (response) => open(response).end(`retry: 5\n\n${event('e:1', 'snapshot', { n: 1 })}`),
      (response) => {
        open(response).write(event('e:2', 'state', { n: 2 }));
        setTimeout(() => response.destroy(), 20);
      },
      (response) => open(response).end(event('e:ended', 'ended', { n: 3 })),
    ],
    { key: 'secret', lastEventId: 'e:0' },
  );
  await waitFor(() => seen.overs.length === 1);
  expect(seen.events.map(({ event: name, data }) => [name, data])).toEqual([
    ['snapshot', { n: 1 }],
    ['state', { n: 2 }],
    ['ended', { n: 3 }],
  ]);
  expect(seen.asked.map(({ headers }) => headers['last-event-id'])).toEqual(['e:0', 'e:1', 'e:2']);
  expect(seen.asked.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer secret'));
  expect(seen.overs).toEqual([undefined]);
  expect(seen.statuses).toEqual(['connecting', 'open', 'connecting', 'open', 'connecting', 'open']);
});

test('an event that comes in pieces, in the middle of a letter too, is one event', async () => {
  const bytes = Buffer.from(event('e:1', 'transcript', { text: 'Zoë' }));
  const cut = bytes.indexOf(0xc3) + 1;
  const seen = await follow([
    (response) => {
      open(response).write(bytes.subarray(0, cut));
      setTimeout(() => response.write(bytes.subarray(cut)), 20);
    },
  ]);
  await waitFor(() => seen.events.length === 1);
  expect(seen.events[0]).toEqual({ event: 'transcript', id: 'e:1', data: { text: 'Zoë' } });
});

test('who cannot open it now waits as long as it is told, and tries again', async () => {
  const seen = await follow([
    refuse(503, 'redis_unavailable', { 'Retry-After': '1' }),
    refuse(429, 'too_many_streams'),
    (response) => response.destroy(),
    (response) => open(response).write(event('e:1', 'snapshot', {})),
  ]);
  await waitFor(() => seen.events.length === 1);
  expect((seen.askedAt[1] ?? 0) - (seen.askedAt[0] ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect((seen.askedAt[3] ?? 0) - (seen.askedAt[1] ?? 0)).toBeLessThan(1_000);
  expect(seen.overs).toEqual([]);
});

test.each([
  [401, 'unauthorized'],
  [404, 'session_ended'],
])('a stream that is refused with %i is over, and says why', async (status, code) => {
  const seen = await follow([refuse(status, code)]);
  await waitFor(() => seen.overs.length === 1);
  expect(seen.overs).toEqual([code]);
  expect(seen.asked).toHaveLength(1);
});

test('204 says that all was read', async () => {
  const seen = await follow([(response) => response.writeHead(204).end()]);
  await waitFor(() => seen.overs.length === 1);
  expect([seen.overs, seen.events]).toEqual([[undefined], []]);
});

test('a connection that gives no sign is dropped, and one that is stopped says nothing more', async () => {
  const seen = await follow(
    [
      (response) => open(response).write(event('e:1', 'snapshot', {})),
      (response) => {
        open(response).write(event('e:2', 'state', {}));
        setTimeout(() => response.write(': still here\n\n'), 120);
        setTimeout(() => response.write(event('e:3', 'state', {})), 240);
      },
    ],
    { timing: { firstRetryMs: 20, longestRetryMs: 80, silenceLimitMs: 200 } },
  );
  await waitFor(() => seen.events.length === 3);
  expect(seen.asked).toHaveLength(2);
  stop?.();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([seen.asked.length, seen.overs]).toEqual([2, []]);
});
