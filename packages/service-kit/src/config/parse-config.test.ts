import { describe, expect, test } from '@jest/globals';
import { ENVIRONMENT, VARIABLE_NAMES } from './environment.js';
import { ConfigError, parseConfig, secretsOf } from './parse-config.js';

const PICKS = {
  redisUrl: 'REDIS_URL',
  port: 'PORT',
  sessionTimeoutMs: 'SESSION_TIMEOUT',
  clientApiKeys: 'CLIENT_API_KEYS',
  adminToken: 'ADMIN_TOKEN',
  keyPrefix: 'REDIS_KEY_PREFIX',
  trustProxy: 'TRUST_PROXY',
  shutdownMode: 'SHUTDOWN_MODE',
} as const;
const ENOUGH = { REDIS_URL: 'redis://127.0.0.1:6379' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig({ ...ENOUGH, ...env }, PICKS);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('defaults apply, seconds become milliseconds, and nothing can be changed afterwards', () => {
  const config = parseConfig(ENOUGH, PICKS);
  expect(config).toEqual({
    redisUrl: 'redis://127.0.0.1:6379',
    port: 8080,
    sessionTimeoutMs: 14_400_000,
    clientApiKeys: [],
    adminToken: undefined,
    keyPrefix: '',
    trustProxy: false,
    shutdownMode: 'handover',
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('values are parsed, and an empty one counts as absent', () => {
  const config = parseConfig(
    {
      ...ENOUGH,
      PORT: ' 9000 ',
      SESSION_TIMEOUT: '1.5',
      CLIENT_API_KEYS: 'one, two,,',
      ADMIN_TOKEN: '',
      HOST: '',
    },
    { ...PICKS, host: 'HOST' },
  );
  expect(config).toMatchObject({
    port: 9000,
    sessionTimeoutMs: 1500,
    clientApiKeys: ['one', 'two'],
    host: '::',
  });
  expect(config.adminToken).toBeUndefined();
});

test('everything that is wrong is told at once', () => {
  const problems = problemsOf({
    REDIS_URL: '',
    PORT: 'eighty',
    SESSION_TIMEOUT: '4h',
    POOL_TARGTE: '5',
    SHUTDOWN_MODE: 'fast',
    WEB_PORT: '70000',
  });
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'REDIS_URL',
    'PORT',
    'WEB_PORT',
    'SESSION_TIMEOUT',
    'SHUTDOWN_MODE',
    'POOL_TARGTE',
  ]);
  expect(problems[1]).toBe('PORT must be a whole number from 0 to 65535, not "eighty"');
  expect(problems.at(-1)).toContain('did you mean POOL_TARGET?');
  expect(new ConfigError(problems).message).toContain('wrong in 6 places');
});

test('a wrong secret is reported without its value', () => {
  const problems = problemsOf({ ADMIN_TOKEN: 'hunter 2', REDIS_URL: 'mysql://me:hunter3@db' });
  expect(problems).toHaveLength(2);
  expect(problems.join()).not.toContain('hunter');
});

test('values that do not go together are refused by the check of the service', () => {
  const check = () => ['A and B cannot both be set'];
  expect(() => parseConfig(ENOUGH, PICKS, check)).toThrow(/one place:\n {2}- A and B/);
});

test.each([
  ['1', 1],
  ['true', 1],
  ['false', false],
  ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
  ['loopback', ['loopback']],
])('TRUST_PROXY=%s means %j', (text, expected) => {
  expect(parseConfig({ ...ENOUGH, TRUST_PROXY: text }, PICKS).trustProxy).toEqual(expected);
});

test.each([
  'TRUST_PROXY=everyone',
  'CORS_ORIGINS=https://a.example/path',
  'REDIS_KEY_PREFIX={x}',
  'PORT=-1',
  'PORT=1e3',
])('%s is refused', (assignment) => {
  const [name = '', value = ''] = assignment.split('=');
  expect(problemsOf({ [name]: value })).toHaveLength(1);
});

describe('the table', () => {
  test('holds exactly the names of the contract', () => {
    const contract =
      `REDIS_URL LIVEKIT_URL LIVEKIT_PUBLIC_URL LIVEKIT_API_KEY LIVEKIT_API_SECRET PORT HOST SPAWNER_PORT
      WEB_PORT ADMIN_TOKEN CLIENT_API_KEYS CORS_ORIGINS TRUST_PROXY RATE_LIMIT_PER_MINUTE MAX_SESSIONS QUEUE_MAX POOL_TARGET
      POOL_REFILL_INTERVAL WARM_MAX_AGE SPAWN_CONCURRENCY SPAWN_ATTEMPTS BOT_STARTUP_TIMEOUT SESSION_TIMEOUT
      TERMINATION_GRACE JOIN_GRACE LEAVE_GRACE HEALTH_CHECK_INTERVAL STALE_SWEEP_INTERVAL HOST_ID HOST_CAPACITY
      HOST_LOST_AFTER SHUTDOWN_MODE DRAIN_TIMEOUT STATE_DIR AGENT_COMMAND AGENT_CWD AGENT_ENV PROFILES_FILE
      TRANSCRIPT_RETENTION LOG_RETENTION_DAYS`.split(/\s+/);
    const extra = [
      'AGENT_HUNG_AFTER',
      'AGENT_HEALTH_TIMEOUT',
      'RESTART_INTENSITY',
      'RESTART_PERIOD',
      'MAX_SESSIONS_PER_CLIENT',
      'REDIS_KEY_PREFIX',
      'LOG_LEVEL',
      'NODE_ENV',
      'FAULT_AT',
      'TRACE_STEPS',
      'API_DRAIN_DELAY',
      'API_URL',
      'LISTEN_IN',
      'LISTEN_IN_ANNOUNCEMENT',
      'AGENT_MEMORY_LIMIT_MB',
      'AGENT_PROCESS_LIMIT',
      'DISK_LOW_WATER_MB',
      'HISTORY_RETENTION_DAYS',
      'HISTORY_MAX',
      'PLACEMENT',
      'MEMORY_LOW_WATER_MB',
      'TELNYX_API_KEY',
      'TELNYX_API_URL',
      'TELNYX_LANGUAGE',
      'TELNYX_LINK',
      'TELNYX_PROFILE',
      'TELNYX_PUBLIC_KEY',
      'TELNYX_SIP_URI',
      'TELNYX_STREAM_URL',
      'TELNYX_TRANSCRIPTION',
      'TELNYX_VOICE',
    ];
    expect([...VARIABLE_NAMES].sort()).toEqual([...contract, ...extra].sort());
  });

  test('every default is valid by its own rule', () => {
    for (const name of VARIABLE_NAMES) {
      const { defaultText, schema } = ENVIRONMENT[name];
      if (defaultText !== undefined)
        expect([name, schema.validate(defaultText).error]).toEqual([name, undefined]);
    }
  });
});

test('the secrets of an environment are each key by itself and the password of Redis, raw and decoded', () => {
  expect(
    secretsOf({
      REDIS_URL: 'redis://user:p%40ss@host:6379',
      CLIENT_API_KEYS: 'key-one, key-two',
      ADMIN_TOKEN: 'root',
      PORT: '1',
    }),
  ).toEqual(['p%40ss', 'p@ss', 'root', 'key-one', 'key-two']);
});

test('the defaults are those that other programs rely on', () => {
  const defaults = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, ENVIRONMENT[name].defaultText]));
  expect(defaults).toMatchObject({
    PORT: '8080',
    HOST: '::',
    SPAWNER_PORT: '8081',
    WEB_PORT: '3000',
    RATE_LIMIT_PER_MINUTE: '10',
    MAX_SESSIONS: '50',
    QUEUE_MAX: '20',
    POOL_TARGET: '3',
    POOL_REFILL_INTERVAL: '30',
    WARM_MAX_AGE: '3600',
    SPAWN_CONCURRENCY: '4',
    SPAWN_ATTEMPTS: '3',
    BOT_STARTUP_TIMEOUT: '30',
    SESSION_TIMEOUT: '14400',
    TERMINATION_GRACE: '2',
    JOIN_GRACE: '120',
    LEAVE_GRACE: '30',
    HEALTH_CHECK_INTERVAL: '60',
    STALE_SWEEP_INTERVAL: '300',
    HOST_CAPACITY: '60',
    HOST_LOST_AFTER: '120',
    SHUTDOWN_MODE: 'handover',
    DRAIN_TIMEOUT: '14400',
    STATE_DIR: '.greenroom',
    TRANSCRIPT_RETENTION: '0',
    LOG_RETENTION_DAYS: '7',
  });
});

test('TRACE_STEPS is refused in production, whoever reads it', () => {
  const parse = (env: Record<string, string>) => parseConfig(env, {});
  parse({ TRACE_STEPS: '1' });
  expect(() => parse({ TRACE_STEPS: '1', NODE_ENV: 'production' })).toThrow(
    /TRACE_STEPS fills Redis without end; it is for tests/,
  );
});
