import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  baseEnvironment,
  isAlive,
  type RunningProcess,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { leaveCalls, startCall } from '../../support/caller.js';
import { startSecondSpawner } from '../../support/second-spawner.js';
import { endSession, sessionOf, waitForStatus } from '../../support/sessions.js';

const FIRST = 'test-host';
const SECOND = 'second-host';
const LOST_AFTER_MS = 16_000;
const HEARTBEAT_MS = 5000;
/** Until LiveKit gives up somebody who has gone without a word. */
const LIVEKIT_NOTICES_MS = 40_000;
const ACTIVE = 2;

let stack: TestStack;
let second: RunningProcess;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('joins-room.mjs'),
    redisProxy: true,
    env: { HOST_LOST_AFTER: String(LOST_AFTER_MS / 1000) },
  });
}, 60_000);
afterAll(async () => {
  await leaveCalls();
  stack.spawner.resume();
  stack.spawnerRedis.release();
  await second?.stop();
  await stack.stop();
}, 60_000);

async function agentsIn(roomName: string): Promise<string[]> {
  const participants = await stack.livekit.rooms.listParticipants(roomName);
  return participants
    .filter(({ identity, state }) => identity.startsWith('agent-') && state === ACTIVE)
    .map(({ identity }) => identity);
}

/** With the token that the agent was given, from the environment of its process. */
async function comeBackAs(pid: number): Promise<RunningProcess> {
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const given = environment.filter((it) => /^LIVEKIT_(URL|TOKEN)=/.test(it)).map((it) => it.split(/=(.*)/s));
  const [command = '', file = ''] = agent('joins-room.mjs').split(' ');
  return startProcess({
    name: 'agent that comes back',
    command,
    args: [file],
    env: { ...baseEnvironment(), ...Object.fromEntries(given) },
  });
}

describe('a host that is cut off, with a call', () => {
  let call: Awaited<ReturnType<typeof startCall>>;
  let before: Awaited<ReturnType<typeof standing>>;
  /** What of a session changes with its agent alone. */
  async function standing() {
    const { status, host, agentPid, generation, restarts, roomName } = await sessionOf(stack, call.sessionId);
    return { status, host, agentPid, generation, restarts, roomName };
  }
  const identity = (generation: number) => `agent-${call.sessionId}-g${generation}`;

  test('keeps it for as long as its agent is in the room, however long nothing is heard of the host', async () => {
    call = await startCall(stack);
    before = await standing();
    second = await startSecondSpawner(stack);
    stack.spawnerRedis.swallow();
    await sleep(LOST_AFTER_MS + 2 * HEARTBEAT_MS);
    expect(await standing()).toEqual(before);
    expect(await agentsIn(call.caller.roomName)).toEqual([identity(1)]);
    expect((await stack.request('GET', '/api/hosts')).body.hosts).toMatchObject([
      { host: SECOND, state: 'up' },
      { host: FIRST, state: 'unreachable', calls: 1 },
    ]);
  }, 60_000);

  test('is lost when the agent is gone from the room as well: the call goes on with another one, under the same id, in the same room', async () => {
    stack.spawner.pause();
    process.kill(before.agentPid, 'SIGSTOP');
    await waitFor(async () => (await sessionOf(stack, call.sessionId)).host === SECOND, {
      timeoutMs: LIVEKIT_NOTICES_MS + 2 * HEARTBEAT_MS,
    });
    expect(await waitForStatus(stack, call.sessionId, 'ready', 20_000)).toMatchObject({
      generation: 2,
      restarts: 1,
      roomName: before.roomName,
    });
    expect(await agentsIn(call.caller.roomName)).toEqual([identity(2)]);
    expect(call.caller.hasStayed()).toBe(true);
  }, 100_000);

  test('an agent of it that comes back with its token is thrown out again', async () => {
    const back = await comeBackAs(before.agentPid);
    await second.waitForLine(/an agent of a lost host came back/);
    await back.exited;
    expect(await agentsIn(call.caller.roomName)).toEqual([identity(2)]);
    expect(await sessionOf(stack, call.sessionId)).toMatchObject({ status: 'ready', generation: 2 });
  }, 30_000);

  test('ends at its return what is no longer its own: the room and the call are not touched', async () => {
    const moved = await standing();
    stack.spawnerRedis.release();
    stack.spawner.resume();
    process.kill(before.agentPid, 'SIGCONT');
    await waitFor(() => !isAlive(before.agentPid), { timeoutMs: 3 * HEARTBEAT_MS });
    await waitFor(async () => {
      const { hosts } = (await stack.request('GET', '/api/hosts')).body;
      return hosts.every(({ state, killsLeft }: never) => state === 'up' && killsLeft === 0);
    });
    await sleep(HEARTBEAT_MS);
    expect(await standing()).toEqual(moved);
    expect(await agentsIn(call.caller.roomName)).toEqual([identity(2)]);
    expect(call.caller.hasStayed()).toBe(true);
    await endSession(stack, call.sessionId);
    await waitForStatus(stack, call.sessionId, 404);
    await waitFor(async () => (await stack.livekit.rooms.listRooms()).length === 0);
  }, 60_000);
});
