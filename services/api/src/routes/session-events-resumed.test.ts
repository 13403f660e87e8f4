import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import { serveTestApi } from '../testing/served-api.js';
import {
  a,
  b,
  call,
  end,
  follow,
  followUrl,
  namesOf,
  redis,
  type Ref,
  say,
  textsOf,
  useTwoApis,
} from '../testing/session-streams.js';

useTwoApis();

describe('reading on', () => {
  test('across reconnects, from one instance to the other, loses nothing and doubles nothing', async () => {
    const ref = await call();
    const told: string[] = [];
    let stream = await follow(ref.sessionId);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 300; i += 1) await say(ref, `line ${i}`);
      isWriting = false;
    })();
    let reconnects = 0;
    for (;;) {
      await waitFor(() => textsOf(stream).length > 20 || told.length + textsOf(stream).length === 300);
      stream.leave();
      // What was under way when it left does not count: only what it has.
      told.push(...textsOf(stream));
      if (told.length >= 300) break;
      if (isWriting) reconnects += 1;
      const api = stream.response.url.startsWith(a.baseUrl) ? b : a;
      stream = await follow(ref.sessionId, { api, lastEventId: stream.lastId() });
      expect(namesOf(stream)).not.toContain('snapshot');
    }
    await writing;
    expect(reconnects).toBeGreaterThan(1);
    expect(told).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i}`));
  });

  test('an instance that stops ends its streams, and another one goes on where they ended', async () => {
    const ref = await call();
    const first = await follow(ref.sessionId);
    await say(ref, 'one');
    await waitFor(() => textsOf(first).length === 1);
    a.context.streams.endAll();
    await waitFor(() => first.isOver());
    expect(namesOf(first)).not.toContain('ended');
    await say(ref, 'two');
    const second = await follow(ref.sessionId, { api: b, lastEventId: first.lastId() });
    await say(ref, 'three');
    await waitFor(() => textsOf(second).length === 2);
    expect(second.events.map(({ data }) => data.text)).toEqual(['two', 'three']);
  });

  test('within the hour after the end gives the end, and once that is known tells the client to stop', async () => {
    const ref = await call();
    const before = await follow(ref.sessionId);
    await waitFor(() => before.events.length === 1);
    before.leave();
    await end(ref);
    const after = await follow(ref.sessionId, { lastEventId: before.lastId() });
    await waitFor(() => after.isOver());
    expect(after.events).toMatchObject([
      { event: 'ended', data: { sessionId: ref.sessionId, endReason: 'caller_ended' } },
    ]);
    const known = await follow(ref.sessionId, { lastEventId: after.lastId() });
    expect(known.response.status).toBe(204);
    await redis.command('DEL', `ended:${ref.sessionId}`);
    const forgotten = await follow(ref.sessionId, { lastEventId: after.lastId() });
    expect(forgotten.response.status).toBe(404);
  });

  test.each(['nonsense', '5-0', 'none:5-0', '1-abc:5-0', '1-abc:ended'])(
    'from %s, which nobody can go on from, begins with a snapshot',
    async (lastEventId) => {
      const { sessionId } = await call();
      const stream = await follow(sessionId, { lastEventId });
      await waitFor(() => stream.events.length === 1);
      expect(namesOf(stream)).toEqual(['snapshot']);
    },
  );

  test('from an id in the query, for a page that was loaded anew', async () => {
    const ref = await call();
    const first = await follow(ref.sessionId);
    await waitFor(() => first.events.length === 1);
    await say(ref, 'one');
    const url = `${a.baseUrl}/api/session/${ref.sessionId}/events?lastEventId=${first.lastId()}`;
    const second = await followUrl(url);
    await waitFor(() => second.events.length === 1);
    expect(textsOf(second)).toEqual(['one']);
  });
});

describe('an entry that nobody was told of', () => {
  const silently = (ref: Ref, text: string) =>
    redis.command(
      'XADD',
      `stream:${ref.sessionId}`,
      '*',
      'type',
      'transcript',
      'data',
      JSON.stringify({ role: 'user', text, final: true }),
    );

  test('is read before the next one', async () => {
    const ref = await call();
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    await silently(ref, 'one');
    await say(ref, 'two');
    await waitFor(() => textsOf(stream).length === 2);
    expect(textsOf(stream)).toEqual(['one', 'two']);
  });

  test('is found by the look that comes with the heartbeat, and so is the end', async () => {
    const c = await serveTestApi({ redis, eventStreams: { heartbeatMs: 100 } });
    try {
      const ref = await call();
      const stream = await follow(ref.sessionId, { api: c });
      await waitFor(() => stream.events.length === 1);
      await silently(ref, 'one');
      await waitFor(() => textsOf(stream).length === 1);
      expect(stream.text()).toContain('\n\n: still here\n\n');
      await redis.command('DEL', `session:${ref.sessionId}`, `stream:${ref.sessionId}`);
      await waitFor(() => stream.isOver());
    } finally {
      await c.close();
    }
  });
});
