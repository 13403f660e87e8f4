import { getuid } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, listProcesses, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { keysOf, sessionOf, startReady, startSession, waitForStatus } from '../support/sessions.js';
import { AS_ORDINARY_USER, startWrappedSpawner, type WrappedSpawner } from '../support/wrapped-spawner.js';

const MEMORY_MB = 300;
const PROCESSES = 60;

/** Only root can become somebody else, and a fork bomb must not run as root. */
const describeAsRoot = getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('an agent that takes more than its limits allow, without cgroups', () => {
  let stack: TestStack;
  let spawner: WrappedSpawner;
  beforeAll(async () => {
    stack = await startStack({
      services: ['api'],
      agentCommand: agent('eats-by-voice.mjs'),
      env: {
        AGENT_MEMORY_LIMIT_MB: String(MEMORY_MB),
        AGENT_PROCESS_LIMIT: String(PROCESSES),
        SPAWN_ATTEMPTS: '1',
      },
    });
    spawner = await startWrappedSpawner(stack, AS_ORDINARY_USER);
  });
  afterAll(async () => {
    await spawner.stop();
    await stack.stop();
  });

  /** That of another call, which must not notice anything. */
  async function startNeighbour(): Promise<{ id: string; pid: number }> {
    const id = await startReady(stack, { voiceId: 'helpers' });
    return { id, pid: (await sessionOf(stack, id)).agentPid };
  }

  async function expectOnlyNeighbour(ended: string, neighbour: { id: string; pid: number }): Promise<void> {
    expect(await keysOf(stack, ended)).toEqual([]);
    const left = spawner.agentProcesses().filter((it) => it.sid !== neighbour.pid);
    expect(left).toEqual([]);
    expect(isAlive(neighbour.pid)).toBe(true);
    expect((await sessionOf(stack, neighbour.id)).status).toBe('ready');
    await stack.request('POST', '/api/session/end', { sessionId: neighbour.id });
    await waitForStatus(stack, neighbour.id, 404);
  }

  test('who holds the limits is said at the start and in the metrics', async () => {
    expect(spawner.output()).toMatch(/"memoryLimitBy":"watch"/);
    expect(spawner.output()).toMatch(/"processLimitBy":"watch"/);
    const metrics = await (await fetch(`${spawner.url}/metrics`)).text();
    expect(metrics).toContain(
      `greenroom_agent_limit{profile="default",limit="memory",keeper="watch",service="spawner"} ${MEMORY_MB * 1024 * 1024}`,
    );
  });

  /** The log's line on it. */
  const toldOf = (limit: string, sessionId: string) =>
    new RegExp(`"limit":"${limit}","message":"agent over its limit, it is stopped".*${sessionId.slice(-6)}`);

  async function expectMemoryEaterIsKilled(): Promise<void> {
    const neighbour = await startNeighbour();
    const sessionId = await startReady(stack, { voiceId: 'memory' });
    const gone = await waitForStatus(stack, sessionId, 404, 15_000);
    expect(gone.endReason).toBe('agent_over_limit');
    expect(spawner.output()).toMatch(toldOf('memory', sessionId));
    await expectOnlyNeighbour(sessionId, neighbour);
  }

  test('memory: it is killed at once, and its session says why', expectMemoryEaterIsKilled);

  test.each(['forks-in-a-loop', 'fork-bomb'])(
    '%s under a non-root user: all of it dies, and the machine is clean',
    async (voiceId) => {
      const neighbour = await startNeighbour();
      const before = listProcesses().length;
      const sessionId = await startSession(stack, { voiceId });
      let most = 0;
      await waitFor(
        async () => {
          most = Math.max(most, listProcesses().length - before);
          return (await sessionOf(stack, sessionId)).endReason === 'agent_over_limit';
        },
        { timeoutMs: 25_000 },
      );
      // A loop is noticed early; what doubles itself runs into the limit of its user first.
      expect(most).toBeLessThan(voiceId === 'forks-in-a-loop' ? 800 : 2100);
      await waitFor(() => listProcesses().length < before + 10, { timeoutMs: 5000 });
      await waitForStatus(stack, sessionId, 404);
      expect(spawner.output()).toMatch(toldOf('processes', sessionId));
      await expectOnlyNeighbour(sessionId, neighbour);
    },
  );

  test(
    'after a bomb, beside which a look takes long, the next one is not long in coming',
    expectMemoryEaterIsKilled,
  );
});
