import { join } from 'node:path';
import { baseEnvironment, startProcess, startStack } from '@greenroom/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROOT } from '../../scripts/lib/paths.mjs';

const agent = (name) => join(ROOT, 'tests/fixtures/agents', name);

/** Runs one of the scripts to its end: its exit code and what it printed. */
async function run(script, env) {
  const running = await startProcess({
    command: 'bash',
    args: [join(ROOT, 'scripts', script)],
    env: { ...baseEnvironment(), ...env },
  });
  const { code } = await running.exited;
  return { code, output: running.output(), lines: running.output().trim().split('\n') };
}

const addressesOf = (stack) => ({
  API_URL: stack.apiUrl,
  REDIS_URL: stack.redis.url,
  ADMIN_TOKEN: stack.adminToken,
});

describe('on a stack whose agents have children', () => {
  let stack;
  beforeAll(async () => {
    stack = await startStack({
      agentCommand: `${process.execPath} ${agent('with-children.mjs')}`,
      env: { POOL_TARGET: '1', REDIS_KEY_PREFIX: 'gr:' },
    });
  }, 60_000);
  afterAll(() => stack?.stop());

  const env = () => ({ ...addressesOf(stack), REDIS_KEY_PREFIX: 'gr:' });

  test('test-termination.sh passes its 8 checks', async () => {
    const { code, output, lines } = await run('test-termination.sh', env());
    expect(lines.at(-1)).toBe('8 passed, 0 failed');
    expect(output).toContain('on this machine: 3 processes of its tree');
    expect(code).toBe(0);
  }, 60_000);

  test('test_concurrent_sessions.sh passes its 24 checks', async () => {
    const { code, output, lines } = await run('test_concurrent_sessions.sh', env());
    expect(output).not.toContain('FAIL');
    expect(lines.at(-1)).toBe('24 passed, 0 failed');
    expect(code).toBe(0);
  }, 120_000);

  test('a Redis that cannot be asked is another exit code, not a gone session', async () => {
    const { code, output } = await run('test-termination.sh', { ...env(), REDIS_URL: 'redis://127.0.0.1:1' });
    expect([code, output]).toEqual([2, expect.stringContaining('No Redis answers')]);
  });
});

describe('on a stack that has something wrong', () => {
  test('an agent that never gets ready fails the checks', async () => {
    const stack = await startStack({ agentCommand: agent('never-ready.sh') });
    try {
      const { code, output } = await run('test-termination.sh', {
        ...addressesOf(stack),
        READY_WITHIN_S: '1',
      });
      expect(output).toMatch(/FAIL {2}session started and ready/);
      expect(code).toBe(1);
    } finally {
      await stack.stop();
    }
  }, 60_000);

  test('a spawner that is gone leaves the session there, and the checks say so', async () => {
    const stack = await startStack({ agentCommand: `${process.execPath} ${agent('with-children.mjs')}` });
    try {
      const first = await run('test-termination.sh', addressesOf(stack));
      expect(first.code).toBe(0);
      stack.spawner.pause();
      const { code, output } = await run('test-termination.sh', {
        ...addressesOf(stack),
        READY_WITHIN_S: '1',
        GONE_WITHIN_S: '1',
      });
      expect(output).toMatch(/FAIL .*process .* is alive/);
      expect(code).toBe(1);
    } finally {
      stack.spawner.resume();
      await stack.stop();
    }
  }, 90_000);

  test('no stack at all is another exit code', async () => {
    const { code, output } = await run('test_concurrent_sessions.sh', {
      API_URL: 'http://127.0.0.1:1',
      ADMIN_TOKEN: 'x',
    });
    expect([code, output]).toEqual([2, expect.stringContaining('No Greenroom answers')]);
  });
});
