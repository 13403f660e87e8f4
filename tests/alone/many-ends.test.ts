import { expect, test } from '@jest/globals';
import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { endSession, health, startReady, waitForStatus } from '../support/sessions.js';

const GRACE_MS = 2000;

test('20 sessions whose agents ignore SIGTERM, escapees included, are gone within grace + 1 s, and health stays quick', async () => {
  const stack = await startStack({
    agentCommand: agent('ignores-sigterm.sh'),
    env: { TERMINATION_GRACE: String(GRACE_MS / 1000), SPAWN_CONCURRENCY: '10' },
  });
  try {
    const ids = await Promise.all(Array.from({ length: 20 }, () => startReady(stack, {}, 25_000)));
    await waitFor(() => stack.agentProcesses().length >= 20 * 5, { timeoutMs: 10_000 });
    const slowest = { ms: 0 };
    const asking = askHealth(stack, slowest);
    const endedAt = performance.now();
    const answers = await Promise.all(ids.map((id) => endSession(stack, id)));
    expect(new Set(answers.map((it) => it.status))).toEqual(new Set([202]));
    await waitFor(() => stack.agentProcesses().length === 0, { timeoutMs: 10_000 });
    const tookMs = performance.now() - endedAt;
    await asking.stop();
    expect(tookMs).toBeGreaterThan(GRACE_MS - 100);
    expect(tookMs).toBeLessThan(GRACE_MS + 1000);
    expect(slowest.ms).toBeLessThan(100);
    await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
    expect((await health(stack)).capacity.current).toBe(0);
    expect(await stack.livekit.rooms.listRooms()).toEqual([]);
  } finally {
    await stack.stop();
  }
});

/** Asks for health all the time, noting the slowest answer. */
function askHealth(stack: TestStack, slowest: { ms: number }): { stop(): Promise<void> } {
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const askedAt = performance.now();
      await fetch(`${stack.apiUrl}/api/health`).then((it) => it.arrayBuffer());
      slowest.ms = Math.max(slowest.ms, performance.now() - askedAt);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await asking;
    },
  };
}
