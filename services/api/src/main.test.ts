import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  freePort,
  type RunningProcess,
  startProcess,
  startRedis,
  type TestRedis,
  waitFor,
} from '@greenroom/test-kit';
import { openRedis } from '@greenroom/redis-schema';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let redis: TestRedis;
let running: RunningProcess | undefined;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
afterEach(() => running?.stop());

/** The built service as a process of its own, with nothing but `node`. */
async function run(env: Record<string, string> = {}, isReady = true): Promise<{ url: string; port: number }> {
  const port = Number(env.PORT ?? (await freePort()));
  const url = `http://127.0.0.1:${port}`;
  running = await startProcess({
    command: process.execPath,
    args: [MAIN],
    env: {
      ...baseEnvironment(),
      REDIS_URL: redis.url,
      LIVEKIT_URL: 'ws://127.0.0.1:9',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'a-livekit-secret-for-this-test',
      ADMIN_TOKEN: 'an-admin-token-for-this-test',
      PORT: String(port),
      API_DRAIN_DELAY: '0',
      ...env,
    },
    ...(isReady && { readyWhen: { url: `${url}/readyz` } }),
  });
  return { url, port };
}

const exitOf = () => running?.exited;

test('it starts with plain node, serves IPv4 and IPv6, and logs JSON without secrets', async () => {
  const { url, port } = await run();
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`http://[::1]:${port}/livez`)).status).toBe(200);
  const lines = running?.output().trim().split('\n') ?? [];
  expect(lines.map((line) => JSON.parse(line).service)).toEqual(lines.map(() => 'api'));
  expect(running?.output()).not.toMatch(/admin-token|livekit-secret/);
});

test('with a wrong environment it says everything that is wrong and exits 1', async () => {
  await run({ PORT: '99999', LIVEKIT_URL: '', POOL_TARGTE: '2', ADMIN_TOKEN: 'two words' }, false);
  expect((await exitOf())?.code).toBe(1);
  const output = running?.output() ?? '';
  for (const name of [
    'PORT must',
    'LIVEKIT_URL is missing',
    'did you mean POOL_TARGET?',
    'ADMIN_TOKEN must',
  ]) {
    expect(output).toContain(name);
  }
  expect(output).not.toMatch(/two words|at .*\.js:\d+/);
});

test('a port in use is named', async () => {
  const occupant = createServer().listen(0, '::');
  await once(occupant, 'listening');
  const { port } = occupant.address() as { port: number };
  await run({ PORT: String(port) }, false);
  expect((await exitOf())?.code).toBe(1);
  expect(running?.output()).toContain(
    `cannot listen on :: port ${port}: another program listens there already`,
  );
  occupant.close();
});

test('SIGTERM answers what has begun, refuses what is new, and exits 0 soon', async () => {
  const { port } = await run();
  // Before a spawner has ever registered, an unknown session may be one that was lost.
  const schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register('host-a', []);
  await schema.close();
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  const body = JSON.stringify({ sessionId: 'session_aaaaaaaaaaaaaaaaaaaaaaaa' });
  socket.write(
    `POST /api/session/end HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const startedAt = performance.now();
  running?.signal('SIGTERM');
  await waitFor(() =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      () => false,
      () => true,
    ),
  );
  socket.write(body);
  await waitFor(() => answer.includes('session_not_found'));
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(running?.output()).toMatch(/(\d+)\/\1 flush the log/);
});

/** One kept-alive connection, as a proxy has it. */
async function connectTo(port: number): Promise<{ socket: Socket; ask(path: string): Promise<string> }> {
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setEncoding('utf8');
  return {
    socket,
    async ask(path) {
      let answer = '';
      const collect = (chunk: string) => {
        answer += chunk;
      };
      socket.on('data', collect).write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await waitFor(() => answer.includes('\r\n\r\n'));
      socket.off('data', collect);
      return answer;
    },
  };
}

test('SIGTERM: readyz fails at once, and for API_DRAIN_DELAY everything else is answered, each connection for the last time', async () => {
  const { port } = await run({ API_DRAIN_DELAY: '1.5' });
  const [before, idle] = [await connectTo(port), await connectTo(port)];
  expect(await before.ask('/readyz')).toMatch(/^HTTP\/1.1 200 /);
  expect(await idle.ask('/livez')).toContain('Connection: keep-alive');
  const startedAt = performance.now();
  running?.signal('SIGTERM');
  await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 503);
  expect(performance.now() - startedAt).toBeLessThan(500);

  // One that is open already and one that is new, until the delay is over.
  expect(await before.ask('/api/health')).toMatch(/^HTTP\/1.1 200 [^]*Connection: close/);
  await waitFor(() => before.socket.closed);
  while (performance.now() - startedAt < 1_200) {
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await waitFor(() => idle.socket.closed, { timeoutMs: 2_000 });
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeGreaterThan(1_500);
});

test('a second SIGTERM does not wait for the delay', async () => {
  const { url } = await run({ API_DRAIN_DELAY: '60' });
  const startedAt = performance.now();
  running?.signal('SIGTERM');
  await waitFor(async () => (await fetch(`${url}/readyz`)).status === 503);
  running?.signal('SIGTERM');
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('an event stream goes on during the delay and is ended after it', async () => {
  const { url } = await run({ API_DRAIN_DELAY: '1' });
  const schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register('host-a', [{ name: 'default', voices: [], poolTarget: 0 }]);
  await schema.hosts.heartbeat('host-a', {
    capacity: 9,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
  });
  const sessionId = `session_${'a'.repeat(24)}`;
  await schema.sessions.start({
    sessionId,
    roomName: 'a-room',
    profile: 'default',
    userScope: '',
    trusted: true,
    maxSessions: 1,
    since: undefined,
    sessionTimeoutMs: 60_000,
  });
  const headers = { authorization: 'Bearer an-admin-token-for-this-test' };
  const stream = await fetch(`${url}/api/session/${sessionId}/logs?follow=1`, { headers });
  expect(stream.status).toBe(200);
  let endedAt = 0;
  const read = stream.text().then((text) => {
    endedAt = performance.now();
    return text;
  });
  const startedAt = performance.now();
  running?.signal('SIGTERM');
  expect(await read).toContain('event: end');
  expect(endedAt - startedAt).toBeGreaterThan(900);
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  await schema.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
  await schema.close();
});

test('it stops while Redis is down, too', async () => {
  await run();
  await redis.kill();
  running?.signal('SIGTERM');
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  await redis.restart();
});
