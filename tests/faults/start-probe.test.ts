import { getuid } from 'node:process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { isAlive, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from '../support/agents.js';
import { runProgram } from '../support/run-program.js';
import { endSession, sessionOf, startReady, waitForStatus } from '../support/sessions.js';
import { AS_ORDINARY_USER, startWrappedSpawner, type WrappedSpawner } from '../support/wrapped-spawner.js';

/** Half a HEALTH_CHECK_INTERVAL. */
const RETRY_MS = 4000;
const LISTENING = { readyWhen: { line: /spawner listening/ } };

/** In a mount namespace of its own, after these commands. */
function withMounts(script: string, ...wrapper: string[]): string[] {
  return ['unshare', '--mount', 'sh', '-ec', `${script}; exec "$@"`, 'sh', ...wrapper];
}

/** What it executes cannot be looked into by its own user, and hidepid hides such processes altogether. */
const HIDDEN_PROC = `mount -t proc -o hidepid=2 proc /proc
sleep=$(command -v sleep); copy=$(mktemp); cp "$sleep" "$copy"; chmod 711 "$copy"
mount --bind "$copy" "$sleep"; rm "$copy"`;

/** Namespaces and mounts are for root. */
const describeAsRoot = getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('at start, a child that hides must be found and killed', () => {
  let stack: TestStack;
  const started: WrappedSpawner[] = [];
  const start: typeof startWrappedSpawner = async (...request) => {
    const spawner = await startWrappedSpawner(...request);
    started.push(spawner);
    return spawner;
  };
  beforeAll(async () => {
    stack = await startStack({
      services: ['api'],
      agentCommand: agent('eats-by-voice.mjs'),
      env: { HEALTH_CHECK_INTERVAL: String((2 * RETRY_MS) / 1000) },
    });
  });
  afterEach(async () => {
    for (const spawner of started.splice(0)) await spawner.stop();
  });
  afterAll(() => stack.stop());

  async function readinessOf(url: string) {
    const response = await fetch(`${url}/readyz`);
    return { status: response.status, body: (await response.json()) as { reason?: string } };
  }

  test('with hidepid, as an ordinary user: its own processes are seen, so it is ready', async () => {
    const mounts = withMounts('mount -t proc -o hidepid=2 proc /proc', ...AS_ORDINARY_USER);
    const spawner = await start(stack, mounts);
    expect((await readinessOf(spawner.url)).status).toBe(200);
  });

  test('without procfs: it does not start, and says so', async () => {
    const mounts = withMounts('mount -t tmpfs none /proc');
    await expect(start(stack, mounts)).rejects.toThrow(/There is no procfs at \/proc/);
  });

  test('with the procfs of another pid namespace: it is not ready, and says why', async () => {
    const namespace = ['unshare', '--pid', '--fork', '--kill-child'];
    const spawner = await start(stack, namespace, {}, LISTENING);
    await spawner.waitForLine(/no agent is started here/);
    expect(await readinessOf(spawner.url)).toMatchObject({
      status: 503,
      body: { reason: expect.stringMatching(/belongs to another pid namespace/) },
    });
    await spawner.kill();
  });

  test('with processes hidden: calls are adopted and end as ever, nothing is launched, until it is mended', async () => {
    const before = await start(stack, AS_ORDINARY_USER);
    const { stateDir } = before;
    const call = await startReady(stack);
    const { agentPid } = await sessionOf(stack, call);
    await before.kill();

    const mounts = withMounts(HIDDEN_PROC, ...AS_ORDINARY_USER);
    const spawner = await start(stack, mounts, {}, { ...LISTENING, stateDir });
    await spawner.waitForLine(/no agent is started here/);
    const failedAt = performance.now();
    expect(await readinessOf(spawner.url)).toMatchObject({
      status: 503,
      body: { reason: expect.stringMatching(/left their session are not found in \/proc.*hidepid/) },
    });
    expect(isAlive(agentPid)).toBe(true);
    await endSession(stack, call);
    await waitForStatus(stack, call, 404, 5000);
    expect(isAlive(agentPid)).toBe(false);

    // Nobody is left to wait for a host that launches nothing.
    const refused = await stack.request('POST', '/api/session/start', {});
    expect(refused).toMatchObject({ status: 503, body: { code: 'no_host' } });
    expect(spawner.agentProcesses()).toEqual([]);
    const mend = 'umount -l /proc; umount -l "$(command -v sleep)"';
    await runProgram('nsenter', '--mount', '--target', String(spawner.pid), 'sh', '-ec', mend);
    await waitFor(async () => (await readinessOf(spawner.url)).status === 200, {
      // One that has begun before takes 6 s to fail.
      timeoutMs: 2 * RETRY_MS + 8000,
    });
    expect(performance.now() - failedAt).toBeGreaterThan(RETRY_MS * 0.9);
    await startReady(stack);
  }, 90_000);
});
