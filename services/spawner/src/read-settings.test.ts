import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigError } from '@greenroom/service-kit';
import { readSettings } from './read-settings.js';

const MIB = 1024 * 1024;
const ENOUGH = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  LIVEKIT_URL: 'ws://127.0.0.1:7880',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
  PATH: '/bin',
};

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'profiles-'));
  file = path.join(folder, 'profiles.yaml');
  mkdirSync(path.join(folder, 'bots'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(source: string, env: Record<string, string> = {}) {
  writeFileSync(file, source);
  return readSettings({ ...ENOUGH, PROFILES_FILE: file, ...env });
}

function problemsOf(source: string, env: Record<string, string> = {}): readonly string[] {
  try {
    read(source, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a profiles file', () => {
  test('makes profiles; what one leaves out is as the environment says', () => {
    const { profiles } = read(
      `profiles:
  default: {agent: reference}
  sales:
    command: python bot.py --room {room}
    cwd: bots
    env: [OPENAI_API_KEY]
    variables: {MOOD: good}
    ready: event
    readyPatterns: {warm: [Loaded], caller: ['/^Hello/i']}
    startupTimeout: 5
    healthTimeout: 60
    limits: {memoryMb: 300}
    restart: {intensity: 1}
    pool: 2
    warmMaxAge: 100
    dead_air_settings: {silence_timeout_normal: 9}
    events: room
  plain: {command: ./bot}
`,
      {
        OPENAI_API_KEY: 'sk',
        SHARED: 'x',
        AGENT_ENV: 'SHARED',
        POOL_TARGET: '4',
        BOT_STARTUP_TIMEOUT: '20',
        RESTART_INTENSITY: '7',
        RESTART_PERIOD: '70',
        AGENT_PROCESS_LIMIT: '33',
        WARM_MAX_AGE: '500',
      },
    );
    expect([...profiles.keys()]).toEqual(['default', 'sales', 'plain']);
    expect(profiles.get('sales')).toEqual({
      name: 'sales',
      description: undefined,
      command: 'python',
      args: ['bot.py', '--room', '{room}'],
      cwd: path.join(folder, 'bots'),
      variables: { PATH: '/bin', SHARED: 'x', OPENAI_API_KEY: 'sk', MOOD: 'good' },
      voices: [],
      ready: 'event',
      readyPatterns: { prewarm: ['Loaded'], user: [/^Hello/i] },
      startupTimeoutMs: 5000,
      healthTimeoutMs: 60_000,
      restart: { intensity: 1, periodMs: 70_000 },
      pool: { kind: 'fixed', size: 2 },
      warmMaxAgeMs: 100_000,
      limits: { memoryBytes: 300 * MIB, processes: 33 },
      deadAirSettings: { silence_timeout_normal: 9 },
      events: 'room',
    });
    expect(profiles.get('plain')).toMatchObject({
      cwd: folder,
      variables: { PATH: '/bin', SHARED: 'x' },
      ready: 'any',
      startupTimeoutMs: 20_000,
      healthTimeoutMs: 0,
      restart: { intensity: 7, periodMs: 70_000 },
      // Only the default one is warm without being asked to be.
      pool: { kind: 'fixed', size: 0 },
      warmMaxAgeMs: 500_000,
      limits: { memoryBytes: undefined, processes: 33 },
    });
    expect(profiles.get('plain')?.variables).not.toHaveProperty('OPENAI_API_KEY');
    expect(profiles.get('default')).toMatchObject({
      command: process.execPath,
      ready: 'room',
      healthTimeoutMs: 45_000,
      pool: { kind: 'fixed', size: 4 },
    });
    expect(profiles.get('default')?.voices.length).toBeGreaterThan(0);
  });

  test('what is wrong in the environment, in the file and in what the file names is told at once', () => {
    const source = `profiles:
  default:
    command: bot | tee log
    cwd: nowhere
    env: [OPENAI_API_KEY, NOT_SET]
    variables: {LIVEKIT_TOKEN: x}
    readyPatterns: {warm: ['/(/']}
  sales: {comand: bot}
  support:
    command: sh -c 'bot "{userName}"'
`;
    const env = { OPENAI_API_KEY: 'sk', POOL_TARGET: 'many', RESTART_INTENSTY: '3' };
    expect(problemsOf(source, env)).toEqual([
      'POOL_TARGET must be a whole number from 0 to 10000, not "many"',
      'RESTART_INTENSTY is not a variable of Greenroom; did you mean RESTART_INTENSITY?',
      `${file}:8 profiles.sales.comand is no setting; did you mean command?`,
      `${file}:8 profiles.sales says no command. Give the command line of the agent, or \`agent: reference\``,
      `${file}:5 profiles.default.env[1] names NOT_SET, which is not set. Set it for the spawner, or leave it out here.`,
      `${file}:6 profiles.default.variables.LIVEKIT_TOKEN is given to every agent by Greenroom itself. Leave it out.`,
      expect.stringMatching(/:7 profiles\.default\.readyPatterns\.warm\[0\] is a broken expression: .*\(/),
      `${file}:3 profiles.default.command has {"op":"|"}, which only a shell understands. Put it in a script, or write sh -c '…'.`,
      `${file}:4 profiles.default.cwd names ${folder}/nowhere, which is no directory. Paths start from where the file lies.`,
      expect.stringMatching(/:10 profiles\.support\.command has \{userName\}.* could be run as code/),
    ]);
  });

  test.each(['AGENT_COMMAND', 'AGENT_CWD', 'AGENT_HEALTH_TIMEOUT'])(
    'beside %s is an error that says what to do; an empty one is none',
    (name) => {
      const source = 'profiles: {default: {agent: reference}}';
      expect(problemsOf(source, { [name]: '7' })).toEqual([
        expect.stringMatching(
          new RegExp(
            `^${name} and PROFILES_FILE are both set: write it into the file, .* and unset ${name}$`,
          ),
        ),
      ]);
      expect(problemsOf(source, { [name]: '' })).toEqual([]);
    },
  );

  test('that is not there is told', () => {
    expect(() => readSettings({ ...ENOUGH, PROFILES_FILE: '/no/such.yaml' })).toThrow(
      /PROFILES_FILE cannot be read: .*\/no\/such\.yaml/,
    );
  });
});

test('without a file AGENT_COMMAND is the only profile, and what is wrong with it is told in the same way', () => {
  const { profiles } = readSettings({ ...ENOUGH, AGENT_COMMAND: 'bot --x' });
  expect([...profiles.values()]).toMatchObject([{ name: 'default', command: 'bot', args: ['--x'] }]);
  expect(() => readSettings({ ...ENOUGH, AGENT_COMMAND: 'bot | tee' })).toThrow(ConfigError);
});
