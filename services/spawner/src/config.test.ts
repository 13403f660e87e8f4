import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from './config.js';

const ENOUGH = {
  REDIS_URL: 'redis://:pass@127.0.0.1:6379',
  LIVEKIT_URL: 'ws://127.0.0.1:7880',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'livekit-secret',
};

test('the defaults are those of the contract, in milliseconds', () => {
  expect(readConfig(ENOUGH)).toMatchObject({
    port: 8081,
    host: '::',
    poolTarget: 3,
    poolRefillIntervalMs: 30_000,
    warmMaxAgeMs: 3_600_000,
    spawnConcurrency: 4,
    spawnAttempts: 3,
    startupTimeoutMs: 30_000,
    sessionTimeoutMs: 14_400_000,
    terminationGraceMs: 2000,
    healthCheckIntervalMs: 60_000,
    staleSweepIntervalMs: 300_000,
    hostCapacity: 60,
    hostId: undefined,
    shutdownMode: 'handover',
    drainTimeoutMs: 14_400_000,
    stateDir: path.resolve('.greenroom'),
    logRetentionDays: 7,
  });
});

test('agents are handed the machine’s own variables and those that AGENT_ENV names, and nothing else of ours', () => {
  const env = {
    ...ENOUGH,
    PATH: '/bin',
    HOME: '/root',
    TZ: 'UTC',
    OPENAI_API_KEY: 'sk',
    ADMIN_TOKEN: 'admin',
  };
  expect(readConfig(env).agentVariables).toEqual({ PATH: '/bin', HOME: '/root', TZ: 'UTC' });
  expect(readConfig({ ...env, AGENT_ENV: 'OPENAI_API_KEY, LIVEKIT_API_SECRET' }).agentVariables).toEqual({
    PATH: '/bin',
    HOME: '/root',
    TZ: 'UTC',
    OPENAI_API_KEY: 'sk',
    LIVEKIT_API_SECRET: 'livekit-secret',
  });
});

test('a variable that AGENT_ENV names and nobody has set is said at the start', () => {
  expect(() => readConfig({ ...ENOUGH, AGENT_ENV: 'OPENAI_API_KEY' })).toThrow(
    /AGENT_ENV names OPENAI_API_KEY, which is not set/,
  );
});

test('without LiveKit or Redis there is no start, and all of it is said at once', () => {
  expect(() => readConfig({})).toThrow(
    /REDIS_URL is missing[^]*LIVEKIT_URL is missing[^]*LIVEKIT_API_SECRET is missing/,
  );
});

test('what must not be logged is known', () => {
  const { secrets } = readConfig({ ...ENOUGH, ADMIN_TOKEN: 'admin-token' });
  expect(secrets).toEqual(expect.arrayContaining(['pass', 'livekit-secret', 'admin-token']));
});

test('FAULT_AT is refused in production, and must name a point that exists', () => {
  expect(readConfig(ENOUGH).faultAt).toBeUndefined();
  expect(readConfig({ ...ENOUGH, FAULT_AT: 'recorded' }).faultAt).toBe('recorded');
  expect(() => readConfig({ ...ENOUGH, FAULT_AT: 'recorded', NODE_ENV: 'production' })).toThrow(
    /FAULT_AT kills the spawner on purpose; it is for tests and refused where NODE_ENV is production/,
  );
  expect(() => readConfig({ ...ENOUGH, FAULT_AT: 'somewhere' })).toThrow(/FAULT_AT must be one of claimed, /);
});
