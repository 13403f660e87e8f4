import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  makeTempDir,
  type RunningProcess,
  startStack,
  startTcpProxy,
  type TcpProxy,
  type TempDir,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { startSecondSpawner } from '../../support/second-spawner.js';
import {
  endSession,
  health,
  keysOf,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from '../../support/sessions.js';

const HERE = 'test-host';
const THERE = 'second-host';
const HEARTBEAT_MS = 5000;
const SILENT_MS = 16_000;
/** Grace of the fixture, and a busy machine. */
const END_MS = 4000;

let stack: TestStack;
let there: RunningProcess;
let stateThere: TempDir;
/** Between the second spawner and Redis. */
let wire: TcpProxy;
/** The first spawner has room for this one only, so that every other call is on the second. */
let callHere: string;

beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('prints-sigterms.mjs'),
    // Nobody joins these calls, and this file takes longer than the usual grace.
    env: { JOIN_GRACE: '0' },
    spawnerEnv: { HOST_CAPACITY: '1' },
  });
  callHere = await startReady(stack);
  stateThere = await makeTempDir('state-there');
  wire = await startTcpProxy({ host: '127.0.0.1', port: stack.redis.port });
  there = await startThere();
});
afterAll(async () => {
  await there.stop();
  await wire.stop();
  await stack.stop();
  await stateThere.remove();
});

function startThere(): Promise<RunningProcess> {
  return startSecondSpawner(stack, {
    STATE_DIR: stateThere.path,
    REDIS_URL: `redis://127.0.0.1:${wire.port}`,
  });
}

interface Call {
  id: string;
  pid: number;
  roomName: string;
}

async function callThere(body: object = {}): Promise<Call> {
  const id = await startReady(stack, body);
  const { host, agentPid, roomName } = await sessionOf(stack, id);
  expect(host).toBe(THERE);
  return { id, pid: agentPid, roomName };
}

function linesAbout(spawner: RunningProcess, { id }: Call): string[] {
  return spawner
    .output()
    .split('\n')
    .filter((line) => line.includes(id.slice(-6)));
}

/** The line is written when the answer of the last step has come: the session is gone for others before that. */
async function endsLogged(call: Call): Promise<string[]> {
  const logged = () => linesAbout(there, call).filter((line) => line.includes('session ended'));
  await waitFor(async () => logged().length > 0, { timeoutMs: 1000 });
  return logged();
}

async function sigtermsOf({ id }: Call): Promise<number> {
  const log = await readFile(path.join(stateThere.path, 'agents', `${id}-g1.log`), 'utf8');
  return log.split('\n').filter((line) => line === 'got SIGTERM').length;
}

async function roomIsThere({ roomName }: Call): Promise<boolean> {
  return (await stack.livekit.rooms.listRooms([roomName])).length > 0;
}

async function expectCallHereUndisturbed(): Promise<void> {
  expect(await sessionOf(stack, callHere)).toMatchObject({ status: 'ready', host: HERE, restarts: 0 });
}

describe('a kill request for a session of another host', () => {
  test('reaches that host and only it', async () => {
    const call = await callThere();
    expect((await endSession(stack, call.id)).status).toBe(202);
    await waitForStatus(stack, call.id, 404, END_MS);
    expect(isAlive(call.pid)).toBe(false);
    expect(await endsLogged(call)).toHaveLength(1);
    expect(linesAbout(stack.spawner, call)).toEqual([]);
    await expectCallHereUndisturbed();
  });

  test('that is misrouted, or says what the state does not, does nothing', async () => {
    const call = await callThere();
    const order = JSON.stringify({ kind: 'end', id: call.id });
    for (const host of [HERE, THERE]) await stack.redis.command('PUBLISH', `host:${host}:wake`, order);
    await sleep(500);
    expect(await sessionOf(stack, call.id)).toMatchObject({ status: 'ready', agentPid: call.pid });
    there.pause();
    await endSession(stack, call.id);
    await stack.redis.command('PUBLISH', `host:${HERE}:wake`, order);
    await sleep(500);
    expect(await sessionOf(stack, call.id)).toMatchObject({ status: 'ending' });
    expect([isAlive(call.pid), await roomIsThere(call)]).toEqual([true, true]);
    there.resume();
    await waitForStatus(stack, call.id, 404, END_MS);
    expect(linesAbout(stack.spawner, call)).toEqual([]);
    await expectCallHereUndisturbed();
  });

  test('that comes twice is one end; one that comes late finds it over', async () => {
    const call = await callThere();
    expect((await endSession(stack, call.id)).status).toBe(202);
    expect((await endSession(stack, call.id)).status).toBe(202);
    await waitForStatus(stack, call.id, 404, END_MS);
    const late = await endSession(stack, call.id);
    expect(late).toMatchObject({ status: 404, body: { code: 'session_ended', endReason: 'admin_ended' } });
    const order = JSON.stringify({ kind: 'end', id: call.id });
    await stack.redis.command('PUBLISH', `host:${THERE}:wake`, order);
    await sleep(300);
    expect(await sigtermsOf(call)).toBe(1);
    expect(await keysOf(stack, call.id)).toEqual([]);
  });

  test('50 at once are one SIGTERM series and one end', async () => {
    const call = await callThere();
    const endedBefore = (await health(stack)).stats.totalEnded;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        stack.request('POST', i % 2 === 0 ? '/api/session/end' : '/api/session/stop', { sessionId: call.id }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await waitForStatus(stack, call.id, 404, END_MS);
    await sleep(500);
    expect(await sigtermsOf(call)).toBe(1);
    expect(linesAbout(there, call).filter((line) => line.includes('agent stopped'))).toHaveLength(1);
    expect(await endsLogged(call)).toHaveLength(1);
    expect((await health(stack)).stats.totalEnded).toBe(endedBefore + 1);
  });
});

describe('a kill request for a session of a host that is unreachable', () => {
  /** As the others see it after 15 s without a heartbeat. */
  async function silence(): Promise<void> {
    await stack.redis.command('ZADD', 'hosts', Date.now() - SILENT_MS, THERE);
  }

  /** All that can be seen from outside, while the host can do nothing. */
  async function expectOver(call: Call, capacityBefore: number): Promise<void> {
    expect(await sessionOf(stack, call.id)).toMatchObject({ status: 404, endReason: 'admin_ended' });
    expect((await health(stack)).capacity.current).toBe(capacityBefore - 1);
    await waitFor(async () => !(await roomIsThere(call)), { timeoutMs: 2000 });
    expect(await keysOf(stack, call.id)).toEqual([]);
    expect(isAlive(call.pid)).toBe(true);
  }

  async function expectCarriedOut(call: Call): Promise<void> {
    await waitFor(() => !isAlive(call.pid), { timeoutMs: HEARTBEAT_MS + END_MS });
    await waitFor(async () => (await stack.redis.command('EXISTS', `host:${THERE}:kill`)) === 0);
    expect(await sigtermsOf(call)).toBe(1);
    await expectCallHereUndisturbed();
  }

  test('is answered at once: session, place and room are gone; the process goes on the host’s return', async () => {
    const [call, other, moved] = await Promise.all([
      callThere({ userId: 'alice' }),
      callThere(),
      callThere(),
    ]);
    there.pause();
    await sleep(SILENT_MS);
    // As a new launch elsewhere leaves it.
    await stack.redis.command('HSET', `session:${moved.id}`, 'launch', 'elsewhere', 'generation', '2');
    const { current } = (await health(stack)).capacity;
    const startedAt = performance.now();
    expect((await endSession(stack, call.id)).status).toBe(202);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await expectOver(call, current);
    const again = await startSession(stack, { userId: 'alice' });
    expect(again).not.toBe(call.id);
    there.resume();
    await expectCarriedOut(call);
    // Nobody asked for these.
    expect(await sessionOf(stack, other.id)).toMatchObject({ status: 'ready', agentPid: other.pid });
    await waitForStatus(stack, again, 'ready');
    // Its session has another launch by now, and that one is in the room.
    await waitFor(() => !isAlive(moved.pid));
    expect(await sessionOf(stack, moved.id)).toMatchObject({ status: 'ready', generation: 2 });
    expect(await roomIsThere(moved)).toBe(true);
    const left = [other.id, moved.id, again];
    for (const id of left) await endSession(stack, id);
    for (const id of left) await waitForStatus(stack, id, 404, END_MS);
  }, 60_000);

  test('waits for a spawner that was killed, too', async () => {
    const call = await callThere();
    await there.kill();
    await silence();
    const { current } = (await health(stack)).capacity;
    expect((await endSession(stack, call.id)).status).toBe(202);
    await expectOver(call, current);
    there = await startThere();
    await expectCarriedOut(call);
  }, 60_000);

  test('that fell silent only after the request: another host’s heartbeat makes it so', async () => {
    const call = await callThere();
    const { current } = (await health(stack)).capacity;
    wire.drop();
    expect((await endSession(stack, call.id)).status).toBe(202);
    expect(await sessionOf(stack, call.id)).toMatchObject({ status: 'ending' });
    await silence();
    await waitForStatus(stack, call.id, 404, HEARTBEAT_MS + 1000);
    await expectOver(call, current);
    wire.release();
    await expectCarriedOut(call);
  }, 60_000);

  test('names a launch: a later one of the same session is left alone', async () => {
    const call = await callThere();
    const order = { sessionId: call.id, generation: 1, roomName: call.roomName };
    await stack.redis.command('HSET', `host:${THERE}:kill`, 'an-earlier-launch', JSON.stringify(order));
    await waitFor(async () => (await stack.redis.command('EXISTS', `host:${THERE}:kill`)) === 0, {
      timeoutMs: HEARTBEAT_MS + 1000,
    });
    expect(await sessionOf(stack, call.id)).toMatchObject({ status: 'ready', agentPid: call.pid });
    expect([isAlive(call.pid), await roomIsThere(call)]).toEqual([true, true]);
    await endSession(stack, call.id);
    await waitForStatus(stack, call.id, 404, END_MS);
  });
});
