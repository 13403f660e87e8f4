import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { liveSessions } from '../support/counts.js';
import { endSession, health, waitForStatus } from '../support/sessions.js';

const STARTS = 1000;
const CAPACITY = 50;
/** For the slowest of a thousand that come at once. */
const ANSWERED_WITHIN_MS = 10_000;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    env: {
      MAX_SESSIONS: String(CAPACITY),
      QUEUE_MAX: '0',
      HOST_CAPACITY: '60',
      SPAWN_CONCURRENCY: '10',
      RATE_LIMIT_PER_MINUTE: '100000',
    },
  });
});
afterAll(() => stack.stop());

test('1,000 starts at once against capacity 50: 50 are taken, 950 hear at once that it is full', async () => {
  const startedAt = performance.now();
  // As a client, so that the limiter counts them too.
  const answers = await Promise.all(
    Array.from({ length: STARTS }, () =>
      stack.request('POST', '/api/session/start', {}, { authorization: '' }),
    ),
  );
  const tookMs = performance.now() - startedAt;
  const taken = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status !== 202);
  expect(taken).toHaveLength(CAPACITY);
  expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
    new Set(['503 at_capacity']),
  );
  expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
  expect(tookMs).toBeLessThan(ANSWERED_WITHIN_MS);

  const ids = taken.map(({ body }) => body.sessionId as string).sort();
  expect(new Set(ids).size).toBe(CAPACITY);
  expect((await liveSessions(stack)).sort()).toEqual(ids);
  expect((await health(stack)).capacity).toMatchObject({ current: CAPACITY, max: CAPACITY, available: 0 });

  await Promise.all(ids.map((id) => waitForStatus(stack, id, 'ready', 40_000)));
  expect((await health(stack)).sessions).toMatchObject({ ready: CAPACITY, starting: 0, queued: 0 });
  expect(new Set(stack.agentProcesses().map(({ sid }) => sid)).size).toBe(CAPACITY);

  const ends = await Promise.all(ids.map((id) => endSession(stack, id)));
  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set([202]));
  await Promise.all(ids.map((id) => waitForStatus(stack, id, 404, 20_000)));
  await waitFor(() => stack.agentProcesses().length === 0);
  expect(await liveSessions(stack)).toEqual([]);
  expect((await health(stack)).capacity).toMatchObject({ current: 0, available: CAPACITY });
  expect(await stack.livekit.rooms.listRooms()).toEqual([]);
}, 90_000);
