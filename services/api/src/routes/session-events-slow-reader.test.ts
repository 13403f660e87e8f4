import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import { MAX_UNREAD_BYTES } from '../events/sse-connection.js';
import { type ServedApi, serveTestApi } from '../testing/served-api.js';
import { a, call, follow, redis, type Ref, say, textsOf, useTwoApis } from '../testing/session-streams.js';

useTwoApis();

describe('a slow reader', () => {
  /** Takes nothing until it is told to. */
  function connectSlowly(api: ServedApi, path: string, lastEventId = '') {
    const socket = connect({ port: Number(new URL(api.baseUrl).port), host: '127.0.0.1' });
    let text = '';
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${lastEventId}\r\n\r\n`);
    socket.pause();
    return {
      take: () => void socket.on('data', (chunk) => (text += chunk.toString())).resume(),
      text: () => text,
      isClosed: () => isClosed,
      leave: () => socket.destroy(),
    };
  }

  const LINES = 1600;
  const lineOf = (i: number) => `${i} ${createHash('sha512').update(String(i)).digest('hex').repeat(30)}`;
  /** The numbers of the lines in what came, chunk headers and all. */
  const numbersIn = (text: string) => [...text.matchAll(/"text":"(\d+) /g)].map(([, n]) => Number(n));

  async function flood(ref: Ref): Promise<void> {
    for (let i = 0; i < LINES; i += 40) {
      await say(ref, ...Array.from({ length: 40 }, (_, j) => lineOf(i + j)));
    }
  }

  test('costs a bounded amount of memory, and loses nothing', async () => {
    const ref = await call();
    const slow = connectSlowly(a, `/api/session/${ref.sessionId}/events`);
    await waitFor(() => a.context.streams.size === 1);
    const response = a.responses.at(-1);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, response?.writableLength ?? 0);
    }, 1);
    const quick = await follow(ref.sessionId);
    await flood(ref);
    await waitFor(() => textsOf(quick).length === LINES);
    // More than 6 MB were said; what the kernel takes is not ours.
    await waitFor(() => most > MAX_UNREAD_BYTES);
    slow.take();
    await waitFor(() => numbersIn(slow.text()).length === LINES);
    clearInterval(watch);
    expect(most).toBeLessThan(MAX_UNREAD_BYTES + 16 * 1024);
    slow.leave();
    expect(numbersIn(slow.text())).toEqual(Array.from({ length: LINES }, (_, i) => i));
  });

  test('that takes nothing is cut off, and reads on from where it was', async () => {
    const c = await serveTestApi({ redis, eventStreams: { stallLimitMs: 200 } });
    try {
      const ref = await call();
      const slow = connectSlowly(c, `/api/session/${ref.sessionId}/events`);
      await waitFor(() => c.context.streams.size === 1);
      await flood(ref);
      await waitFor(() => c.context.streams.size === 0);
      slow.take();
      await waitFor(() => slow.isClosed());
      const whole = slow.text().slice(0, slow.text().lastIndexOf('\n\n'));
      const had = numbersIn(whole);
      expect(had.length).toBeGreaterThan(0);
      expect(had.length).toBeLessThan(LINES);
      const lastEventId = [...whole.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
      const again = await follow(ref.sessionId, { api: c, lastEventId });
      await waitFor(() => had.length + textsOf(again).length >= LINES);
      const numbers = [...had, ...textsOf(again).map((text) => Number.parseInt(text, 10))];
      expect(numbers).toEqual(Array.from({ length: LINES }, (_, i) => i));
    } finally {
      await c.close();
    }
  });
});
