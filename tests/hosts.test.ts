import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { isAlive, type RunningProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { greenroom, operatorOf } from './support/greenroom.js';
import { startSecondSpawner } from './support/second-spawner.js';
import { endSession, sessionOf, startReady, waitForStatus } from './support/sessions.js';

const FIRST = 'test-host';
const SECOND = 'second-host';
const HEARTBEAT_MS = 5000;

let stack: TestStack;
let second: RunningProcess;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('ready-then-waits.sh'),
    spawnerEnv: { DRAIN_TIMEOUT: '1' },
  });
  second = await startSecondSpawner(stack, { DRAIN_TIMEOUT: '1' });
}, 60_000);
afterEach(leaveCalls);
afterAll(async () => {
  await second?.stop();
  await stack.stop();
}, 60_000);

async function hostOf(id: string) {
  const { body } = await stack.request('GET', '/api/hosts');
  return body.hosts.find(({ host }: { host: string }) => host === id);
}

function drain(host: string) {
  return stack.request('POST', `/api/hosts/${host}/drain`);
}

async function undrain(host: string): Promise<void> {
  expect((await stack.request('DELETE', `/api/hosts/${host}/drain`)).status).toBe(200);
  await waitFor(async () => (await hostOf(host)).state === 'up');
}

/** A call that can only have come to this host. */
async function callOn(host: string) {
  const other = host === FIRST ? SECOND : FIRST;
  await drain(other);
  const call = await startCall(stack);
  await undrain(other);
  const session = await sessionOf(stack, call.sessionId);
  expect(session).toMatchObject({ host, generation: 1 });
  return { ...call, agentPid: Number(session.agentPid) };
}

/** The same call, in the same room, with another agent on that host. */
async function expectMoved({ sessionId, caller }: Awaited<ReturnType<typeof callOn>>, to: string) {
  await waitFor(async () => (await sessionOf(stack, sessionId)).host === to, { timeoutMs: 15_000 });
  const session = await waitForStatus(stack, sessionId, 'ready');
  expect(session).toMatchObject({ host: to, generation: 2, restarts: 1, roomName: caller.roomName });
  expect(isAlive(session.agentPid)).toBe(true);
  expect(caller.hasStayed()).toBe(true);
  return session;
}

async function end(sessionId: string): Promise<void> {
  await endSession(stack, sessionId);
  await waitForStatus(stack, sessionId, 404);
}

async function hostsOfCalls(count: number, body: object = {}): Promise<string[]> {
  const hosts: string[] = [];
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    ids.push(await startReady(stack, body));
    hosts.push((await sessionOf(stack, ids[i] ?? '')).host);
  }
  await Promise.all(ids.map(end));
  return hosts;
}

/** Of four calls, most go where the policy says; one may go elsewhere where that host was slow to take it. */
function mostOnOneHost(hosts: string[]): number {
  return Math.max(...[FIRST, SECOND].map((host) => hosts.filter((it) => it === host).length));
}

test('starts are spread over the hosts, and a user who comes again gets the host of the last call', async () => {
  expect(mostOnOneHost(await hostsOfCalls(4))).toBeLessThanOrEqual(3);
  const [host] = await hostsOfCalls(1, { userId: 'ada' });
  await hostsOfCalls(1);
  expect(await hostsOfCalls(1, { userId: 'ada' })).toEqual([host]);
});

test('a call of a lost host goes on with another agent; the host returns, ends what it had, and touches nothing', async () => {
  const call = await callOn(FIRST);
  stack.spawner.pause();
  try {
    // As HOST_LOST_AFTER without a heartbeat leaves it.
    await stack.redis.command('ZADD', 'hosts', Date.now() - 600_000, FIRST);
    await stack.redis.command('SET', 'hosts:awake', '1');
    const moved = await expectMoved(call, SECOND);
    expect(await hostOf(FIRST)).toMatchObject({ state: 'lost', calls: 0, killsLeft: 1 });
    expect(isAlive(call.agentPid)).toBe(true);

    stack.spawner.resume();
    await waitFor(() => !isAlive(call.agentPid), { timeoutMs: HEARTBEAT_MS + 4000 });
    await waitFor(async () => (await hostOf(FIRST)).killsLeft === 0);
    expect(await hostOf(FIRST)).toMatchObject({ state: 'up' });
    const { agentPid, generation, host, restarts } = moved;
    const untouched = { status: 'ready', agentPid, generation, host, restarts };
    expect(await sessionOf(stack, call.sessionId)).toMatchObject(untouched);
    expect(isAlive(moved.agentPid)).toBe(true);
    expect(call.caller.hasStayed()).toBe(true);
  } finally {
    stack.spawner.resume();
  }
  await end(call.sessionId);
});

test('an operator gives up a silent host by the command: its call goes on elsewhere, long before it would be lost', async () => {
  const call = await callOn(SECOND);
  second.pause();
  try {
    await stack.redis.command('ZADD', 'hosts', Date.now() - 20_000, SECOND);
    await stack.redis.command('SET', 'hosts:awake', '1');
    expect(await greenroom(['host', 'lost', SECOND, '--yes'], operatorOf(stack))).toMatchObject({
      code: 0,
      stdout: `${SECOND} is lost: 1 call moved, 0 ended, 0 warm agents dropped.\n`,
    });
    await expectMoved(call, FIRST);
    expect(await hostOf(SECOND)).toMatchObject({ state: 'lost', calls: 0 });
  } finally {
    second.resume();
  }
  await waitFor(async () => (await hostOf(SECOND)).state === 'up', { timeoutMs: HEARTBEAT_MS + 4000 });
  expect(call.caller.hasStayed()).toBe(true);
  await end(call.sessionId);
});

test('a drained host gives the call that is left to another when the time is over, and is idle until that is undone', async () => {
  const call = await callOn(SECOND);
  expect((await drain(SECOND)).body).toMatchObject({ draining: true, callsLeft: 1 });
  await expectMoved(call, FIRST);
  expect(isAlive(call.agentPid)).toBe(false);
  expect(await hostOf(SECOND)).toMatchObject({ state: 'draining', running: 0, killsLeft: 0 });
  const next = await startReady(stack);
  expect(await sessionOf(stack, next)).toMatchObject({ host: FIRST });
  expect(second.isRunning()).toBe(true);
  await undrain(SECOND);
  await Promise.all([end(call.sessionId), end(next)]);
});

test('a spawner that is stopped with SHUTDOWN_MODE=drain leaves its call to another host', async () => {
  const call = await callOn(SECOND);
  expect(await second.stop()).toEqual({ code: 0, signal: null });
  await expectMoved(call, FIRST);
  expect(isAlive(call.agentPid)).toBe(false);
  expect(await hostOf(SECOND)).toBeUndefined();
  await end(call.sessionId);
});

test('with PLACEMENT=pack starts fill one host before the next', async () => {
  await stack.spawner.stop();
  const PLACEMENT = 'pack';
  await stack.startSpawner({ PLACEMENT });
  second = await startSecondSpawner(stack, { PLACEMENT, DRAIN_TIMEOUT: '1' });
  expect(mostOnOneHost(await hostsOfCalls(4))).toBeGreaterThanOrEqual(3);
});
