import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
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
  expect(running?.output()).toContain('5/5 flush the log');
});

test('it stops while Redis is down, too', async () => {
  await run();
  await redis.kill();
  running?.signal('SIGTERM');
  expect(await exitOf()).toEqual({ code: 0, signal: null });
  await redis.restart();
});
