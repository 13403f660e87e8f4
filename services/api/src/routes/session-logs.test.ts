import type { Server } from 'node:http';
import { closeServer, listen } from '@greenroom/service-kit';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import supertest from 'supertest';
import type { Client } from '../http/authenticate.js';
import { createApiServer } from '../server.js';
import { downloadLog } from '../sessions/download-log.js';
import { joinWithoutRepeat } from '../sessions/follow-logs.js';
import { ADMIN_TOKEN, HOST, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
let server: Server;
let baseUrl: string;
let spawner: StandInSpawner;
let ref: { sessionId: string; generation: number };
const leaving: AbortController[] = [];

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis });
  server = createApiServer(api.app);
  baseUrl = `http://127.0.0.1:${await listen(server, { host: '127.0.0.1', port: 0 })}`;
});
afterEach(() => {
  for (const reader of leaving.splice(0)) reader.abort();
});
afterAll(async () => {
  await closeServer(server);
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
  await api.start();
  ref = await spawner.launchNext();
});

const say = (...lines: string[]) => api.schema.agents.append(ref, { lines, events: [] });
const [EARLIER, LATER] = ['2026-11-22T10:00:00.000Z', '2026-11-22T10:00:01.500Z'];
const sayAt = (at: string, ...lines: string[]) =>
  api.schema.agents.append(ref, { lines, events: [], at: Date.parse(at) });

/** Follows the log; `text()` is what has arrived so far. */
async function follow(accept: string, query = '?follow=1') {
  const reader = new AbortController();
  leaving.push(reader);
  const response = await fetch(`${baseUrl}/api/session/${ref.sessionId}/logs${query}`, {
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, Accept: accept },
    signal: reader.signal,
  });
  let text = '';
  let isOver = false;
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    isOver = true;
  })();
  reading.catch(() => undefined);
  return { response, text: () => text, isOver: () => isOver, leave: () => reader.abort() };
}

test('the last lines, as many as asked for, each with its time', async () => {
  await sayAt(EARLIER, 'one', 'two');
  await sayAt(LATER, 'three');
  const { status, body } = await api.adminGet(`/api/session/${ref.sessionId}/logs?tail=2`);
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    sessionId: ref.sessionId,
    lines: ['two', 'three'],
    times: [EARLIER, LATER],
  });
  expect((await api.adminGet(`/api/session/${ref.sessionId}/logs`)).body.lines).toEqual([
    'one',
    'two',
    'three',
  ]);
  expect((await api.adminGet(`/api/session/${ref.sessionId}/logs?tail=0`)).body.lines).toEqual([]);
});

test('following gives what was there, then each new line as an event, and ends with the session', async () => {
  await say('before');
  const stream = await follow('text/event-stream');
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
  await waitFor(() => stream.text().includes('before'));
  await say('after "quotes"\u2028');
  await waitFor(() => stream.text().includes('event: line\ndata: "after \\"quotes\\"\u2028"\n\n'));
  await api.post('/api/session/end', { sessionId: ref.sessionId });
  await api.schema.sessions.finishEnd(ref.sessionId, ref.generation);
  await waitFor(() => stream.isOver());
  expect(stream.text()).toMatch(/event: end\ndata: \{\}\n\n$/);
});

test('a follower is told the time of what follows, whenever it is another one', async () => {
  await sayAt(EARLIER, 'one', 'two');
  const stream = await follow('text/event-stream');
  await waitFor(() => stream.text().includes('two'));
  await sayAt(EARLIER, 'three');
  await sayAt(LATER, 'four');
  // What a spawner of an older version adds.
  await api.schema.bus.publish(`logs:${ref.sessionId}`, ['five']);
  await waitFor(() => stream.text().includes('five'));
  const told = stream
    .text()
    .trim()
    .split('\n\n')
    .map((it) => it.replace(/event: (\w+)\ndata: /, '$1 '));
  expect(told).toEqual([
    `at "${EARLIER}"`,
    'line "one"',
    'line "two"',
    'line "three"',
    `at "${LATER}"`,
    'line "four"',
    'at null',
    'line "five"',
  ]);
});

test('plain lines for those who accept only text', async () => {
  await say('before');
  const stream = await follow('text/plain', '?follow=1&tail=0');
  await waitFor(() => api.context.streams.size === 1);
  await say('after');
  await waitFor(() => stream.text() === 'after\n');
});

test('a reader that leaves is forgotten, and a shutdown ends the others', async () => {
  const first = await follow('text/plain');
  const second = await follow('text/plain');
  await waitFor(() => api.context.streams.size === 2);
  first.leave();
  await waitFor(() => api.context.streams.size === 1);
  api.context.streams.endAll();
  await waitFor(() => second.isOver());
  await waitFor(async () => {
    const reply = (await redis.command('PUBSUB', 'CHANNELS', 'logs:*')) as string[];
    return reply.length === 0;
  });
});

test('HEAD and unknown sessions do not stream', async () => {
  const head = await fetch(`${baseUrl}/api/session/${ref.sessionId}/logs?follow=1`, {
    method: 'HEAD',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  expect(head.status).toBe(200);
  const unknown = await api.adminGet('/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa/logs?follow=1');
  expect(unknown.status).toBe(404);
  expect(api.context.streams.size).toBe(0);
});

test.each(['tail=-1', 'tail=x', 'tail=1&tail=2', 'follow=maybe', 'grep=x'])(
  '?%s is refused',
  async (query) => {
    const { status, body } = await api.adminGet(`/api/session/${ref.sessionId}/logs?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  },
);

test('lines heard while the recent ones were read are written once', () => {
  const lines = (texts: string) => texts.split('').map((text) => ({ text, at: 1 }));
  const join = (recent: string, early: string) => joinWithoutRepeat(lines(recent), lines(early));
  expect(join('abc', 'bcd')).toEqual(lines('abcd'));
  expect(join('a', 'b')).toEqual(lines('ab'));
  expect(join('', 'b')).toEqual(lines('b'));
  expect(join('aa', 'aab')).toEqual(lines('aab'));
  // The same words at another time are another line.
  const first = { text: 'tick', at: 1 };
  const second = { text: 'tick', at: 2 };
  expect(joinWithoutRepeat([first], [second])).toEqual([first, second]);
});

describe('the log of a session that is over', () => {
  const HOST_B = 'host-b';
  const url = (query = '') => `/api/session/${ref.sessionId}/logs${query}`;

  /** What hosts answer: the lines of each launch's log, in parts of at most two lines. */
  async function serve(host: string, logs: Record<number, string[]>): Promise<() => Promise<void>> {
    return api.schema.questions.answer(host, {
      log: async ({ generation, before, maxLines }) => {
        const lines = logs[generation];
        if (lines === undefined) return { status: 'gone' };
        const end = before ?? lines.length;
        const start = Math.max(0, end - Math.min(2, maxLines));
        return { status: 'ok', lines: lines.slice(start, end), ...(start > 0 && { start }) };
      },
    });
  }

  /** Its first launch ran on the one host, the second on the other. */
  async function end(): Promise<void> {
    await redis.command('HSET', `session:${ref.sessionId}`, 'launches', `1@${HOST} 2@${HOST_B}`);
    await api.post('/api/session/end', { sessionId: ref.sessionId });
    await api.schema.sessions.finishEnd(ref.sessionId, ref.generation);
  }

  test('comes from the hosts of its launches, in order, page by page', async () => {
    await end();
    const stop = [await serve(HOST, { 1: ['a', 'b', 'c'] }), await serve(HOST_B, { 2: ['d', 'e', 'f'] })];
    expect((await api.adminGet(url())).body).toMatchObject({
      lines: ['a', 'b', 'c', 'd', 'e', 'f'],
      nextCursor: null,
    });
    const pages: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.adminGet(url(`?tail=4${cursor}`));
      pages.unshift(body.lines.join(''));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(pages).toEqual(['ab', 'cdef']);
    await Promise.all(stop.map((it) => it()));
  });

  test('has the times that its host knows', async () => {
    await end();
    const times = [Date.parse(EARLIER), null];
    const stop = await api.schema.questions.answer(HOST, {
      log: async () => ({ status: 'ok', lines: ['a', 'b'], times }),
    });
    const stopOld = await serve(HOST_B, { 2: ['c'] });
    expect((await api.adminGet(url())).body).toMatchObject({
      lines: ['a', 'b', 'c'],
      times: [EARLIER, null, null],
    });
    await Promise.all([stop(), stopOld()]);
  });

  test('of a host that does not answer is told within 2 s; what another one has is given first', async () => {
    await end();
    const stop = await serve(HOST_B, { 2: ['d', 'e'] });
    const first = await api.adminGet(url());
    expect(first.body.lines).toEqual(['d', 'e']);
    const startedAt = performance.now();
    const second = await api.adminGet(url(`?cursor=${first.body.nextCursor}`));
    expect([second.status, second.body.code]).toEqual([503, 'host_unreachable']);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    await stop();
  });

  test('so is that of a start that failed, while it is still shown', async () => {
    await api.start({ userName: 'Ada' });
    const failed = await spawner.claimNext();
    await api.schema.sessions.failLaunch(failed, {
      error: 'It exited.',
      lastLines: [],
      maxAttempts: 1,
      backoffMs: 1,
      holdoffBaseMs: 1,
      holdoffMaxMs: 1,
    });
    const stop = await serve(HOST, { 1: ['why'] });
    const { body } = await api.adminGet(`/api/session/${failed.sessionId}/logs`);
    expect(body).toMatchObject({ lines: ['why'], nextCursor: null });
    await stop();
  });

  test('is gone when no launch has one any more, and not when one has', async () => {
    await end();
    const stop = [await serve(HOST, {}), await serve(HOST_B, {})];
    const gone = await api.adminGet(url());
    expect([gone.status, gone.body.code]).toEqual([404, 'log_gone']);
    await stop[0]?.();
    stop[0] = await serve(HOST, { 1: ['a'] });
    expect((await api.adminGet(url())).body.lines).toEqual(['a']);
    await Promise.all(stop.map((it) => it()));
  });

  test('is found for an hour where no history is kept, and a cursor is for it alone', async () => {
    expect((await api.adminGet(url('?cursor=MQ'))).body.code).toBe('invalid_request');
    await end();
    await redis.command('DEL', `history:${ref.sessionId}`);
    const stop = [await serve(HOST, { 1: ['a'] }), await serve(HOST_B, { 2: ['b'] })];
    expect((await api.adminGet(url())).body.lines).toEqual(['a', 'b']);
    await redis.command('DEL', `ended:${ref.sessionId}`);
    expect((await api.adminGet(url())).body.code).toBe('session_not_found');
    await Promise.all(stop.map((it) => it()));
  });
});

describe('the whole log as a file', () => {
  const LINES = Array.from({ length: 2_500 }, (_, index) => `line ${index}`);

  async function download(): Promise<Response> {
    return fetch(`${baseUrl}/api/session/${ref.sessionId}/logs?download=1`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
  }

  /** A host as it is: at most a thousand lines at once, from the end on. `asked` counts how often. */
  async function serveLog(lines: string[], onAsked: (times: number) => void = () => undefined) {
    let asked = 0;
    return api.schema.questions.answer(HOST, {
      log: async ({ before, maxLines }) => {
        onAsked((asked += 1));
        const end = before ?? lines.length;
        const start = Math.max(0, end - Math.min(1000, maxLines));
        return { status: 'ok', lines: lines.slice(start, end), ...(start > 0 && { start }) };
      },
    });
  }

  test('of a live session is all that its host has, in order, beyond the recent lines', async () => {
    const stop = await serveLog(LINES);
    const response = await download();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${ref.sessionId}.log"`);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toBe(`${LINES.join('\n')}\n`);
    expect(api.context.streams.size).toBe(0);
    await stop();
  });

  test('is cut off where the host falls silent: nobody takes a part for the whole', async () => {
    let stop: () => Promise<void> = async () => undefined;
    stop = await serveLog(LINES, (times) => times === 2 && void stop());
    const response = await download();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(api.context.streams.size).toBe(0);
  });

  test('of a host that is silent from the beginning is 503', async () => {
    const response = await download();
    expect([response.status, await response.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'host_unreachable' }),
    ]);
  });

  test('too long for one file, it says so in its first line and has the newest ones', async () => {
    const stop = await serveLog(LINES);
    const request = { id: ref.sessionId, launches: [{ generation: 1, host: HOST }], maxText: 15_000 };
    const client: Client = { kind: 'admin', scope: 'admin' };
    const app = express().get('/', (_request, response) =>
      downloadLog(api.context, request, { response, client, address: '' }),
    );
    const { text } = await supertest(app).get('/');
    const [first = '', ...rest] = text.trimEnd().split('\n');
    expect(first).toMatch(/older lines are left out/);
    expect(rest).toEqual(LINES.slice(500));
    await stop();
  });

  test('only for admins, and not of nobody', async () => {
    expect((await api.get(`/api/session/${ref.sessionId}/logs?download=1`)).status).toBe(401);
    const unknown = await api.adminGet('/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa/logs?download=1');
    expect(unknown.body.code).toBe('session_not_found');
  });
});
