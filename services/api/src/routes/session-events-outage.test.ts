import { openEventStream, startTcpProxy, waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import { serveTestApi } from '../testing/served-api.js';
import {
  a,
  call,
  follow,
  namesOf,
  redis,
  type Ref,
  say,
  textsOf,
  useTwoApis,
} from '../testing/session-streams.js';
import { ADMIN_TOKEN, HOST } from '../testing/test-api.js';

useTwoApis();

describe('when Redis', () => {
  test('loses its data, the stream stays open and begins anew with a snapshot when the session is there again', async () => {
    const ref = await call();
    const { agentPid: pid = 0, ...session } = await liveSession(ref);
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    await redis.command('FLUSHALL');
    const { recovery = 0 } = await beat();
    await a.schema.sessions.publishLaunch(ref, HOST, { ...session, agentPid: pid }, undefined);
    // As if two heartbeats were over.
    const number = recovery - 20_000;
    await redis.command('HSET', 'recovery', 'startedAt', number);
    expect(namesOf(stream)).not.toContain('ended');
    expect((await beat(number)).epoch).toBeDefined();
    await waitFor(() => namesOf(stream).filter((name) => name === 'snapshot').length >= 2);
    await waitFor(async () => stream.lastId().startsWith(`${String(await redis.command('GET', 'epoch'))}:`));
    expect(stream.events.at(-1)).toMatchObject({ event: 'snapshot', data: { status: 'ready' } });
    const published = { ...ref, generation: (await liveSession(ref)).generation };
    await say(published, 'still here');
    await waitFor(() => textsOf(stream).length === 1);
    const older = await follow(ref.sessionId, { lastEventId: stream.events[0]?.id ?? '' });
    await waitFor(() => older.events.length === 1);
    expect(namesOf(older)).toEqual(['snapshot']);
  });

  test('is away, the stream stays open, and goes on without loss at its return', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port });
    const c = await serveTestApi({
      redis,
      env: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
      eventStreams: { heartbeatMs: 100 },
    });
    try {
      const ref = await call();
      const stream = await follow(ref.sessionId, { api: c });
      await waitFor(() => stream.events.length === 1);
      proxy.drop();
      await say(ref, 'one', 'two');
      const beats = () => stream.text().split(': still here').length;
      const before = beats();
      await waitFor(() => beats() > before + 2);
      expect(stream.isOver()).toBe(false);
      expect(textsOf(stream)).toEqual([]);
      proxy.release();
      await waitFor(() => textsOf(stream).length === 2, { timeoutMs: 5000 });
      await say(ref, 'three');
      await waitFor(() => textsOf(stream).length === 3);
      expect(textsOf(stream)).toEqual(['one', 'two', 'three']);
      const refused = await follow(ref.sessionId, { api: c, lastEventId: stream.lastId() });
      expect(refused.response.status).toBe(200);
    } finally {
      await c.close();
      await proxy.stop();
    }
  });

  test('is away, whoever follows everything is told that what was told may be old, and that it is not any more', async () => {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: redis.port });
    const env = { REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
    const c = await serveTestApi({ redis, env, eventStreams: { heartbeatMs: 100 } });
    try {
      const ref = await call();
      const [all, one] = [
        await openEventStream(`${c.baseUrl}/api/sessions/events`, { Authorization: `Bearer ${ADMIN_TOKEN}` }),
        await follow(ref.sessionId, { api: c }),
      ];
      const told = (): unknown[] =>
        all.events.filter(({ event }) => event === 'source').map(({ data }) => data.isAway);
      await waitFor(() => all.events.length === 1);
      proxy.drop();
      await waitFor(() => told().length === 1);
      proxy.release();
      await waitFor(() => told().length === 2);
      expect(told()).toEqual([true, false]);
      expect(namesOf(one)).not.toContain('source');
      all.leave();
    } finally {
      await c.close();
      await proxy.stop();
    }
  });

  test('drops the connection that tells us, what was missed is read', async () => {
    const ref = await call();
    const stream = await follow(ref.sessionId);
    await waitFor(() => stream.events.length === 1);
    for (let i = 0; i < 3; i += 1) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await say(ref, `line ${i}`);
      await waitFor(() => textsOf(stream).length === i + 1, { timeoutMs: 3000 });
    }
    expect(textsOf(stream)).toEqual(['line 0', 'line 1', 'line 2']);
  });
});

async function liveSession({ sessionId }: Ref) {
  const result = await a.schema.sessions.read(sessionId);
  if (result.status !== 'live') throw new Error(result.status);
  return result.session;
}

function beat(published?: number) {
  return a.schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
    published,
  });
}
