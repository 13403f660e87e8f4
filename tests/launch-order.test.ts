import { describe, expect, test } from '@jest/globals';
import {
  listProcesses,
  readCommandLine,
  startLiveKit,
  startStack,
  startTcpProxy,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { keysOf, sessionOf, startSession, waitForStatus } from './support/sessions.js';

describe('the launch gate', () => {
  test('pid and pgid stand in both Redis places, with TTL, before the first instruction of the agent', async () => {
    const stack = await startStack({
      agentCommand: agent('reads-its-own-keys.mjs'),
      env: { AGENT_ENV: 'REDIS_URL', SESSION_TIMEOUT: '600' },
    });
    try {
      const sessionId = await startSession(stack);
      await waitForStatus(stack, sessionId, 'ready');
      const logs = await stack.request('GET', `/api/session/${sessionId}/logs`);
      const saw = (logs.body.lines as string[]).find((line) => line.startsWith('SAW '));
      const [pid, pidKey, pidTtl, agentPid, agentPgid, sessionTtl] = (saw ?? '')
        .replace(/:/g, '')
        .split(' ')
        .slice(1)
        .map(Number);
      expect(pid).toBeGreaterThan(1);
      expect([pidKey, agentPid, agentPgid]).toEqual([pid, pid, pid]);
      for (const ttl of [pidTtl, sessionTtl]) {
        expect(ttl).toBeGreaterThan(590);
        expect(ttl).toBeLessThanOrEqual(600);
      }
      expect((await sessionOf(stack, sessionId)).agentPid).toBe(pid);
    } finally {
      await stack.stop();
    }
  });

  test('a spawner killed between spawn and commit leaves no agent, and the session is launched again', async () => {
    const livekit = await startLiveKit();
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: livekit.port });
    const stack = await startStack({
      agentCommand: agent('ready-then-waits.sh'),
      livekit,
      spawnerEnv: { LIVEKIT_URL: `ws://127.0.0.1:${proxy.port}` },
    });
    try {
      // The room's answer is held until Redis hangs: the agent is spawned and its commit gets no answer.
      proxy.holdReplies();
      const sessionId = await startSession(stack);
      await waitFor(async () => (await livekit.rooms.listRooms([`greenroom-${sessionId}`])).length === 1);
      await waitFor(
        async () => Number(await stack.redis.command('HGET', `session:${sessionId}`, 'generation')) === 1,
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      stack.redis.pause();
      proxy.release();
      const gate = await waitFor(() => gateOf(stack.spawner.pid));
      expect(readCommandLine(gate.pid)).toContain('read -r go');
      await stack.spawner.kill();
      await waitFor(
        () => !listProcesses().some((it) => it.pid === gate.pid && it.startTime === gate.startTime),
      );
      // The commit may be taken now, long after its sender died: it names a process that never ran.
      stack.redis.resume();
      await waitFor(async () => (await keysOf(stack, sessionId)).length > 0);
      expect(stack.agentProcesses()).toEqual([]);
      await stack.startSpawner();
      const session = await waitForStatus(stack, sessionId, 'ready', 15_000);
      expect(session.generation).toBe(2);
    } finally {
      stack.redis.resume();
      await stack.stop();
      await proxy.stop();
      await livekit.stop();
    }
  });
});

function gateOf(spawnerPid: number) {
  return listProcesses().find(
    (it) => it.ppid === spawnerPid && readCommandLine(it.pid).includes('read -r go'),
  );
}
