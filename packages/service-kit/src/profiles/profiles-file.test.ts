import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { settingsAt } from './profile-schema.js';
import { parseProfilesFile } from './profiles-file.js';

function problemsOf(source: string): readonly string[] {
  return parseProfilesFile(source, 'p.yaml').problems;
}

function settingsOf(source: string) {
  const { profiles, problems } = parseProfilesFile(source, 'p.yaml');
  expect(problems).toEqual([]);
  return Object.fromEntries(profiles);
}

const NOTHING = { env: [], variables: {}, readyPatterns: {}, limits: {}, restart: {} };

test('everything that a profile may say is understood', () => {
  const source = `
profiles:
  default: {agent: reference}
  sales:
    description: Sells
    command: [python, bot.py, "{room}"]
    cwd: ../bots
    env: [OPENAI_API_KEY]
    variables: {MOOD: "7"}
    voices: [alloy, {id: x1, name: Xenia}, {id: x2}]
    ready: pattern
    readyPatterns: {warm: [Loaded], caller: ['/^Hello .+/i']}
    startupTimeout: 12.5
    healthTimeout: 45
    limits: {memoryMb: 2048, processes: 40}
    restart: {intensity: 1, period: 60}
    pool: {kind: buffer, size: "20%", max: 9}
    warmMaxAge: 600
    dead_air_settings:
      silence_timeout_normal: 10
      max_checkins_before_disconnect: 3
      checkin_message: [Hello?, Still there?]
      frozen_agent_action: end
`;
  expect(settingsOf(source)).toEqual({
    default: { ...NOTHING, agent: 'reference' },
    sales: {
      description: 'Sells',
      command: ['python', 'bot.py', '{room}'],
      cwd: '../bots',
      env: ['OPENAI_API_KEY'],
      variables: { MOOD: '7' },
      voices: [
        { id: 'alloy', name: 'alloy' },
        { id: 'x1', name: 'Xenia' },
        { id: 'x2', name: 'x2' },
      ],
      ready: 'pattern',
      readyPatterns: { warm: ['Loaded'], caller: ['/^Hello .+/i'] },
      startupTimeoutMs: 12_500,
      healthTimeoutMs: 45_000,
      limits: { memoryMb: 2048, processes: 40 },
      restart: { intensity: 1, periodMs: 60_000 },
      pool: { kind: 'buffer', size: '20%', min: 0, max: 9 },
      warmMaxAgeMs: 600_000,
      deadAirSettings: {
        silence_timeout_normal: 10,
        max_checkins_before_disconnect: 3,
        checkin_message: ['Hello?', 'Still there?'],
        frozen_agent_action: 'end',
      },
    },
  });
});

test('JSON is YAML too, and a number is a pool of that size', () => {
  expect(settingsOf('{"profiles": {"a": {"command": "bot", "pool": 3}}}')).toEqual({
    a: { ...NOTHING, command: 'bot', pool: { kind: 'fixed', size: 3 } },
  });
});

test('every problem is told at once, in the order of the file, with its line, its path and what to write instead', () => {
  const source = `profiles:
  default:
    agent: reference
    comand: x
    startup_timeout: 3
  sales team:
    command: 7
    voices: [alloy, {id: 3}, alloy]
    env: [3, OPENAI KEY]
    variables: {A-B: x, SECRET: 12345}
    ready: soon
    readyPatterns: {warm: [], calller: [x]}
    startupTimeout: 30s
    limits: {memory: 200, processes: -1}
    restart: {intensity: "3"}
    pool: many
    dead_air_settings: {silence: 3, checkin_message: [], silence_timeout_normal: 0, checkin_audio_url: 'file:///there.mp3'}
  a:
    description: no command
    pool: {kind: bufer}
  b:
    command: x
    agent: reference
    pool: {kind: rate, maxi: 3}
    voices: 3
  c: hello
extra: 1
`;
  expect(problemsOf(source)).toEqual([
    'p.yaml:4 profiles.default.comand is no setting; did you mean command?',
    'p.yaml:5 profiles.default.startup_timeout is no setting; did you mean startupTimeout?',
    'p.yaml:6 profiles.sales team is no name of a profile: 1 to 64 letters, digits, _ and -, a letter or digit first',
    'p.yaml:7 profiles.sales team.command must be a command line such as "node agent.js --fast", or a list of its words, not 7',
    'p.yaml:8 profiles.sales team.voices[1].id must be a text of 1 to 128 characters, not 3',
    'p.yaml:8 profiles.sales team.voices[2] has the same id as another voice',
    'p.yaml:9 profiles.sales team.env[0] must be the name of an environment variable, such as OPENAI_API_KEY, not 3',
    'p.yaml:9 profiles.sales team.env[1] must be the name of an environment variable, such as OPENAI_API_KEY, not "OPENAI KEY"',
    'p.yaml:10 profiles.sales team.variables.SECRET must be a text (put a number in quotes)',
    'p.yaml:10 profiles.sales team.variables.A-B is no name of an environment variable: letters, digits and _ only',
    'p.yaml:11 profiles.sales team.ready must be one of any, pattern, event, room, not "soon"',
    'p.yaml:12 profiles.sales team.readyPatterns.warm must contain at least 1 items, not []',
    'p.yaml:12 profiles.sales team.readyPatterns.calller is no setting; did you mean caller?',
    'p.yaml:13 profiles.sales team.startupTimeout must be a number of seconds from 0.1 to 2147483, such as 30, not "30s"',
    'p.yaml:14 profiles.sales team.limits.processes must be a whole number from 0 to 4000000 (0 is no limit), not -1',
    'p.yaml:14 profiles.sales team.limits.memory is no setting; did you mean memoryMb?',
    'p.yaml:15 profiles.sales team.restart.intensity must be a whole number from 0 to 1000, not "3"',
    'p.yaml:16 profiles.sales team.pool must be a number of warm agents, or a policy with its kind (docs/profiles.md), not "many"',
    'p.yaml:17 profiles.sales team.dead_air_settings.silence_timeout_normal must be a number of seconds from 0.5 to 2147483, such as 30, not 0',
    'p.yaml:17 profiles.sales team.dead_air_settings.checkin_message must be a text of 1 to 500 characters, or a list of 1 to 20 such texts, not []',
    'p.yaml:17 profiles.sales team.dead_air_settings.checkin_audio_url must be the address of a sound, such as https://example.com/are-you-there.mp3, not "file:///there.mp3"',
    expect.stringMatching(
      /^p\.yaml:17 profiles\.sales team\.dead_air_settings\.silence is no setting; those here are silence_timeout_normal, /,
    ),
    'p.yaml:18 profiles.a says no command. Give the command line of the agent, or `agent: reference`',
    'p.yaml:20 profiles.a.pool.kind must be one of [fixed, buffer, rate, schedule], not "bufer"',
    'p.yaml:21 profiles.b says both agent and command. Leave one of them out',
    'p.yaml:24 profiles.b.pool.max is missing',
    expect.stringMatching(/^p\.yaml:24 profiles\.b\.pool\.maxi is no setting; those here are kind, /),
    'p.yaml:25 profiles.b.voices must be a list, not 3',
    'p.yaml:26 profiles.c must be settings, each on a line of its own, not "hello"',
    'p.yaml:27 extra is unknown: all that may stand there is profiles',
  ]);
});

test.each([
  [
    'pool: {kind: schedule, timeZone: Mars, entries: [{cron: 0 0 * * *, size: 1}]}',
    'pool.timeZone is no time zone; ',
  ],
  ["pool: {kind: schedule, entries: [{cron: '0 0 30 2 *', size: 1}]}", 'pool.entries[0].cron never fires'],
  ['pool: {kind: buffer, size: 20, min: 3, max: 2}', 'pool.max must not be less than min'],
  ['cwd: "a\\0b"', 'cwd must be a text of 1 to 4096 characters, not '],
  ['variables: {A: "a\\0b"}', 'variables.A must be a text'],
  ['voices: &all [*all]', 'voices[0] must be the id of a voice, or its id and name, '],
])('%s: the problem is told as a sentence', (setting, problem) => {
  expect(problemsOf(`profiles:\n  a:\n    command: x\n    ${setting}`)).toEqual([
    expect.stringMatching(`^p\\.yaml:4 profiles\\.a\\.${problem.replaceAll(/[.[\]]/g, '\\$&')}`),
  ]);
});

test('a command cannot hold a NUL, which would end it', () => {
  expect(problemsOf('profiles:\n  a: {command: "bot\\0"}\n  b: {command: [bot, "\\0"]}')).toEqual([
    expect.stringContaining('profiles.a.command must be a command line'),
    expect.stringContaining('profiles.b.command[1] must be a command line'),
  ]);
});

describe('a file that is no list of profiles', () => {
  test.each([
    ['', /^p\.yaml:1 has no profiles\. Write `profiles:`/],
    ['[1]', /has no profiles/],
    ['profiles: {}', /^p\.yaml:1 profiles is empty/],
    ['profiles: [', /^p\.yaml:1 Flow sequence/],
    ['profiles: {a: *b}', /Unresolved alias/],
  ])('%j is told', (source, problem) => {
    expect(problemsOf(source)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([2_000, 50_000])('what is nested %i times is told in words, not as an error of ours', (depth) => {
    const source = `profiles:\n  a: ${'['.repeat(depth)}${']'.repeat(depth)}\n`;
    expect(problemsOf(source)).toEqual(['p.yaml:2 is nested too deeply to be read']);
  });

  test('a key that stands twice is told, and the rest is looked at all the same', () => {
    expect(problemsOf('profiles:\n  a: {command: x}\n  a: {command: x, comand: 3}')).toEqual([
      'p.yaml:3 Map keys must be unique',
      expect.stringMatching(/^p\.yaml:3 profiles\.a\.comand is no setting/),
    ]);
  });
});

function read(file: string): string {
  return readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8');
}

test('the example is right', () => {
  expect(Object.keys(settingsOf(read('infra/profiles.example.yaml')))).toEqual([
    'default',
    'sales',
    'support',
  ]);
});

test('docs/profiles.md describes every setting', () => {
  const rows = read('docs/profiles.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const described = rows.map((row) => /`(\w+)`/.exec(row)?.[1]);
  expect(new Set(described)).toEqual(new Set(settingsAt([])));
  for (const group of ['readyPatterns', 'limits', 'restart', 'dead_air_settings']) {
    const row = rows.find((it) => it.startsWith(`| \`${group}\``)) ?? '';
    for (const name of settingsAt([group])) expect(row).toContain(`\`${name}\``);
  }
});
