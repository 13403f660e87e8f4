import { once } from 'node:events';
import { createConnection } from 'node:net';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
let spawner: StandInSpawner;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '1000' } });
  spawner = new StandInSpawner(api.schema);
  await spawner.register();
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

/** The commands that clients send meanwhile, one a round trip. What scripts call inside the server is not among them. */
async function commandsDuring(work: () => Promise<unknown>): Promise<string[]> {
  const socket = createConnection({ host: '127.0.0.1', port: redis.port });
  await once(socket, 'connect');
  let seen = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    seen += chunk;
  });
  socket.write('MONITOR\r\n');
  await waitFor(() => seen.includes('OK'));
  await work();
  await redis.command('ECHO', 'end-of-work');
  await waitFor(() => seen.includes('end-of-work'));
  socket.destroy();
  const lines = seen
    .split('\n')
    .filter((line) => / \[\d+ [\d.:]+\] "/.test(line) && !line.includes('end-of-work'));
  return lines.map((line) => /\] "(\w+)"/.exec(line)?.[1]?.toLowerCase() ?? line);
}

test('a warm start is one round trip beside the one of the rate limiter', async () => {
  // The first of each loads its script.
  await spawner.warmUp();
  await api.start();
  await spawner.warmUp();
  let status: string | undefined;
  const commands = await commandsDuring(async () => {
    ({ status } = await api.start({ userId: 'u1', userName: 'Ada', metadata: { a: 1 } }));
  });
  expect(status).toBe('ready');
  expect(commands).toEqual(['evalsha', 'evalsha']);
});

test('polling a session is one exchange with Redis', async () => {
  const { sessionId } = await api.start();
  // Two reads, pipelined: they travel together.
  expect(await commandsDuring(async () => api.get(`/api/session/${sessionId}`))).toEqual([
    'hgetall',
    'hgetall',
  ]);
});
