import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  isAlive,
  listProcesses,
  readProcess,
  type RunningProcess,
  startProcess,
  startStack,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { endSession, keysOf, sessionOf, startReady, waitForStatus } from '../support/sessions.js';

const LOOP = fileURLToPath(new URL('../../infra/docker/spawner-loop.sh', import.meta.url));
const SPAWNER = fileURLToPath(new URL('../../services/spawner/dist/main.js', import.meta.url));

describe("the container's restart loop", () => {
  let stack: TestStack;
  const loops: RunningProcess[] = [];
  beforeAll(async () => {
    stack = await startStack({ services: ['api'], agentCommand: agent('nasty-by-voice.sh') });
  });
  afterAll(async () => {
    for (const loop of loops) await loop.stop();
    await stack.stop();
  });

  async function startLoop(env: Record<string, string>): Promise<RunningProcess> {
    const loop = await startProcess({
      name: 'spawner loop',
      command: LOOP,
      args: [process.execPath, SPAWNER],
      env: { ...stack.env, ...env },
      readyWhen: { url: `${stack.spawnerUrl}/readyz` },
    });
    loops.push(loop);
    return loop;
  }

  function spawnerBelow(loop: RunningProcess): number {
    return listProcesses().find((it) => it.ppid === loop.pid && it.state !== 'Z')?.pid ?? 0;
  }

  async function processOf(sessionId: string) {
    const { agentPid, status } = await sessionOf(stack, sessionId);
    return { pid: agentPid, startTime: readProcess(agentPid)?.startTime, alive: isAlive(agentPid), status };
  }

  async function nextSpawner(loop: RunningProcess, before: number): Promise<void> {
    await waitFor(() => ![0, before].includes(spawnerBelow(loop)), { timeoutMs: 4000 });
    await waitFor(async () => (await fetch(`${stack.spawnerUrl}/readyz`)).status === 200);
  }

  test('kill -9 of the spawner: the agent lives, the next one adopts it, and ends it when asked to', async () => {
    const loop = await startLoop({ SHUTDOWN_MODE: 'handover' });
    const call = await startReady(stack);
    const before = await processOf(call);
    const spawner = spawnerBelow(loop);
    process.kill(spawner, 'SIGKILL');
    await nextSpawner(loop, spawner);
    expect(loop.output()).toMatch(/the spawner failed \(code 137\), starting it again in 1 s/);
    expect(await processOf(call)).toEqual(before);
    await endSession(stack, call);
    await waitForStatus(stack, call, 404, 5000);
    expect(isAlive(before.pid)).toBe(false);
    expect(await keysOf(stack, call)).toEqual([]);
    expect(await loop.stop()).toEqual({ code: 0, signal: null });
  });

  test('SIGHUP: another spawner, the same call', async () => {
    const loop = await startLoop({ SHUTDOWN_MODE: 'handover' });
    const call = await startReady(stack);
    const before = await processOf(call);
    const spawner = spawnerBelow(loop);
    loop.signal('SIGHUP');
    await nextSpawner(loop, spawner);
    expect(await processOf(call)).toEqual(before);
    // In a container this is where the calls end: with handover nobody waits for them.
    const startedAt = performance.now();
    loop.signal('SIGTERM');
    expect(await loop.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(await processOf(call)).toEqual(before);
  });

  test('SIGTERM as a drain: the call that is left has ended when the loop has, after a SIGHUP that left it to the next spawner', async () => {
    const loop = await startLoop({ SHUTDOWN_MODE: 'drain', DRAIN_TIMEOUT: '0' });
    const [call] = stack.agentProcesses();
    expect(call).toBeDefined();
    const startTime = () => readProcess(call?.pid ?? 0)?.startTime;
    const before = startTime();
    const spawner = spawnerBelow(loop);
    loop.signal('SIGHUP');
    await nextSpawner(loop, spawner);
    expect(startTime()).toBe(before);
    loop.signal('SIGTERM');
    expect(await loop.exited).toEqual({ code: 0, signal: null });
    expect(stack.agentProcesses()).toEqual([]);
  });

  test('SIGTERM as a drain right behind a SIGHUP: the next spawner waits for the call', async () => {
    const loop = await startLoop({ SHUTDOWN_MODE: 'drain', DRAIN_TIMEOUT: '0' });
    await startReady(stack);
    expect(stack.agentProcesses()).not.toEqual([]);
    loop.signal('SIGHUP');
    await loop.waitForLine(/"reason":"SIGHUP"/);
    loop.signal('SIGTERM');
    expect(await loop.exited).toEqual({ code: 0, signal: null });
    expect(stack.agentProcesses()).toEqual([]);
  });

  test('one that fails at once is not started in a hurry, and the loop still ends when told', async () => {
    const loop = await startProcess({ command: LOOP, args: ['sh', '-c', 'echo tried; exit 3'] });
    loops.push(loop);
    await loop.waitForLine(/starting it again in 2 s/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(loop.output().match(/tried/g)).toHaveLength(2);
    loop.signal('SIGTERM');
    expect(await loop.exited).toEqual({ code: 3, signal: null });
  });
});
