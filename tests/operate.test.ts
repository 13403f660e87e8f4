import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type EventStream,
  isAlive,
  openEventStream,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { sessionOf, startReady, waitForStatus } from './support/sessions.js';

const GRACE_SECONDS = 20;

let stack: TestStack;
let all: EventStream;

beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ignores-sigterm.sh'),
    env: { HEALTH_CHECK_INTERVAL: '1', TERMINATION_GRACE: `${GRACE_SECONDS}` },
  });
  all = await openEventStream(`${stack.apiUrl}/api/sessions/events`, {
    authorization: `Bearer ${stack.adminToken}`,
  });
});
afterAll(async () => {
  all.leave();
  await stack.stop();
});

const eventsOf = (name: string) => all.events.filter(({ event }) => event === name).map(({ data }) => data);
const endMany = (body: object) => stack.request('POST', '/api/sessions/end', body);

test('what an agent and its host have to do is told without being asked for', async () => {
  const sessionId = await startReady(stack, { userId: 'ann' });
  const ofIt = () => eventsOf('load').filter((load) => load.sessionId === sessionId);
  await waitFor(() => ofIt().length >= 2, { timeoutMs: 5000 });
  expect(ofIt().at(-1)).toMatchObject({ cpuPercent: expect.any(Number), profile: 'default' });
  expect(ofIt().at(-1)?.memoryBytes).toBeGreaterThan(500_000);
  const { sessions } = (await stack.request('GET', '/api/sessions')).body;
  expect(sessions[0]).toMatchObject({ sessionId, measuredAt: expect.any(String) });
  expect(sessions[0].memoryBytes).toBeGreaterThan(500_000);
  await waitFor(() => eventsOf('host').some(({ calls }) => calls === 1), { timeoutMs: 7000 });
  const host = eventsOf('host').at(-1);
  expect(host).toMatchObject({ state: 'up', running: 1, load: { cores: expect.any(Number) } });
  expect((await endMany({ all: true, immediately: true })).body).toMatchObject({ asked: 1 });
  await waitForStatus(stack, sessionId, 404, 4000);
});

test('an operator ends all that match at once, agents that leave for no signal included, and no other', async () => {
  const [mine, yours] = [
    await startReady(stack, { userId: 'ann' }),
    await startReady(stack, { userId: 'bob' }),
  ];
  const { agentPid } = await sessionOf(stack, mine);
  const filter = { userId: 'ann' };
  expect((await endMany({ filter, dryRun: true })).body).toMatchObject({ matched: 1, asked: 0 });
  expect((await endMany({ filter })).body).toMatchObject({ matched: 1, asked: 1 });
  // It ignores SIGTERM, and has a long grace.
  await waitForStatus(stack, mine, 'ending');
  expect(isAlive(agentPid)).toBe(true);
  await stack.request('POST', '/api/session/end', { sessionId: mine, immediately: true });
  const gone = await waitForStatus(stack, mine, 404, 4000);
  expect(gone).toMatchObject({ endReason: 'admin_ended' });
  expect(isAlive(agentPid)).toBe(false);
  expect((await sessionOf(stack, yours)).status).toBe('ready');
  await stack.request('POST', '/api/session/end', { sessionId: yours, immediately: true });
  await waitForStatus(stack, yours, 404, 4000);
});

test('the numbers say what has happened here', async () => {
  const { body } = await stack.request('GET', '/api/stats?window=day');
  expect(body.totals).toMatchObject({
    starts: 3,
    warmStarts: 0,
    ended: 3,
    errors: 0,
    hitRate: 0,
    endReasons: { admin_ended: 3 },
  });
  expect(body.totals.startMs.p50).toBeGreaterThan(10);
  expect(body.totals.startMs.p99).toBeLessThan(10_000);
  expect(Math.max(...body.points.map(({ callers }: { callers: number | null }) => callers ?? 0))).toBe(2);
  expect(body.points.some(({ capacity }: { capacity: number | null }) => capacity === 50)).toBe(true);
});
