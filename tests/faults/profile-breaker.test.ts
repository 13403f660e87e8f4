import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTempDir, startStack, type TempDir, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import {
  endSession,
  health,
  sessionOf,
  startReady,
  startSession,
  waitForStatus,
} from '../support/sessions.js';

describe('a profile whose agents fail to start', () => {
  let stack: TestStack;
  let dir: TempDir;
  let mended: string;

  beforeAll(async () => {
    dir = await makeTempDir('breaker');
    mended = join(dir.path, 'mended');
    stack = await startStack({
      agentCommand: agent('fails-until-mended.sh'),
      env: { AGENT_ENV: 'MENDED', MENDED: mended, SPAWN_ATTEMPTS: '1' },
    });
  });
  afterAll(async () => {
    await stack.stop();
    await dir.remove();
  });

  const start = () => stack.request('POST', '/api/session/start', {});
  const spawned = async () => (await health(stack)).stats.totalSpawned;

  test('opens its breaker: starts fail fast with the reason, and one probe closes it when it is mended', async () => {
    for (let i = 0; i < 5; i += 1) await waitForStatus(stack, await startSession(stack), 'error');
    const opened = performance.now();
    const startedAt = performance.now();
    const refused = await start();
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(refused).toMatchObject({
      status: 503,
      body: {
        code: 'profile_failing',
        detail:
          'Agents of this profile fail to start. The last one: The agent exited with code 3 before it was ready.',
      },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(9);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(10);
    expect((await stack.request('GET', '/api/pool')).body.pools[0].breaker).toMatchObject({
      status: 'open',
      failures: 5,
    });
    expect(await health(stack)).toMatchObject({ status: 'degraded', failingProfiles: ['default'] });
    const metrics = await stack.request('GET', `${stack.spawnerUrl}/metrics`);
    expect(metrics.body).toMatch(/greenroom_profile_breaker_opened_total\{profile="default"[^}]*\} 1\n/);
    expect(await spawned()).toBe(5);

    await writeFile(mended, '');
    await waitFor(async () => (await health(stack)).failingProfiles === undefined, { timeoutMs: 14_000 });
    expect(performance.now() - opened).toBeGreaterThan(9000);
    // The probe was one launch, wanted by nobody, and leaves nothing: the pool's target is 0.
    expect(await spawned()).toBe(6);
    await waitFor(() => stack.agentProcesses().length === 0);
    const sessionId = await startReady(stack);
    expect((await sessionOf(stack, sessionId)).prewarmed).toBe(false);
    await endSession(stack, sessionId);
    await waitForStatus(stack, sessionId, 404);
  }, 60_000);
});
