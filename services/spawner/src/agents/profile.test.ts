import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../config.js';
import { fillPlaceholders, splitCommandLine } from './command-line.js';
import { readSingleProfile } from './single-profile.js';

const ENOUGH = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  LIVEKIT_URL: 'ws://127.0.0.1:7880',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};

describe('a command line', () => {
  test.each([
    ['node agent.js', ['node', 'agent.js']],
    ['  python   bot.py  --fast ', ['python', 'bot.py', '--fast']],
    [`sh -c 'exec bot "$1"' x`, ['sh', '-c', 'exec bot "$1"', 'x']],
    ['"/opt/my agent/run" --name "a b"', ['/opt/my agent/run', '--name', 'a b']],
    ['bot a\\ b', ['bot', 'a b']],
    ["bot ''", ['bot', '']],
    ['', []],
  ])('%j is split as a shell would', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words);
  });

  test.each([
    ['bot --room {room} --name={userName}', ['bot', '--room', '{room}', '--name={userName}']],
    ['bot $HOME', ['bot', '$HOME']],
    ['bot *.wav', ['bot', '*.wav']],
  ])('%j is not expanded', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words);
  });

  test.each(['bot > log', 'a && b', 'a | b', 'bot &', 'a; b', 'bot # note', 'bot $(date)'])(
    '%j is refused: only a shell could run it',
    (line) => {
      expect(() => splitCommandLine(line)).toThrow(/Put it in a script, or write sh -c/);
    },
  );

  test.each([`node 'agent.js --fast`, 'bot "x', `bot it's`, `bot "it's" '`])(
    '%j is refused: a quote is never closed',
    (line) => expect(() => splitCommandLine(line)).toThrow('has a quote that is never closed'),
  );

  test('a quote within others, or behind a backslash, is a letter', () => {
    expect(splitCommandLine(`bot "it's" 'say "x' it\\'s "a\\"b"`)).toEqual([
      'bot',
      "it's",
      'say "x',
      "it's",
      'a"b',
    ]);
  });
});

describe('placeholders', () => {
  const values = { room: 'greenroom-x', sessionId: 'session_x', userName: 'Ann', voiceId: '', mode: 'user' };

  test('are filled wherever they stand in a word', () => {
    expect(fillPlaceholders('--room={room}:{sessionId}', values)).toBe('--room=greenroom-x:session_x');
    expect(fillPlaceholders('[{voiceId}]{mode}', values)).toBe('[]user');
  });

  test('what a caller calls itself is text and never filled again', () => {
    expect(fillPlaceholders('{userName}', { ...values, userName: '{room} $(id) $&' })).toBe(
      '{room} $(id) $&',
    );
  });

  test.each(['{token}', '{LIVEKIT_TOKEN}', '{livekitToken}', '{secret}', '{constructor}', '{__proto__}'])(
    'there is none for %s',
    (word) => {
      const more = { ...values, token: 't', LIVEKIT_TOKEN: 't', livekitToken: 't', secret: 't' };
      expect(fillPlaceholders(word, more)).toBe(word);
    },
  );
});

describe('what a caller calls itself', () => {
  const profileOf = (agentCommand: string) =>
    readSingleProfile(readConfig({ ...ENOUGH, AGENT_COMMAND: agentCommand }));

  test.each([
    `sh -c 'bot --name "{userName}"'`,
    `bash -lc "bot --voice '{voiceId}'"`,
    `env python -c 'print("{userName}")'`,
    `sh -c 'bot;{userName}'`,
    'sh -c {userName}',
    'bash -lc {voiceId}',
    'node --eval {userName}',
  ])('%s would run it, and is refused with the way out', (line) => {
    expect(() => profileOf(line)).toThrow(/could be run as code\. Read "\$USER_NAME"/);
  });

  test.each([
    'bot {userName} {voiceId}',
    'bot --name={userName} --id {sessionId}:{voiceId}',
    `sh -c 'bot "$USER_NAME"; rm -f /tmp/{room}'`,
  ])('%s keeps it an argument', (line) => {
    expect(profileOf(line).command).toMatch(/^(bot|sh)$/);
  });
});

describe('the default profile', () => {
  test('is AGENT_COMMAND where there is one, run where AGENT_CWD says, ready by any sign', () => {
    const env = { ...ENOUGH, AGENT_COMMAND: 'bot --fast', AGENT_CWD: '/srv/bot', POOL_TARGET: '7' };
    expect(readSingleProfile(readConfig({ ...env, BOT_STARTUP_TIMEOUT: '9' }))).toMatchObject({
      name: 'default',
      command: 'bot',
      args: ['--fast'],
      cwd: '/srv/bot',
      ready: 'any',
      pool: { kind: 'fixed', size: 7 },
      startupTimeoutMs: 9000,
    });
  });

  test('is the reference agent otherwise, ready when it is in the room', () => {
    const profile = readSingleProfile(readConfig(ENOUGH));
    expect(profile).toMatchObject({ command: process.execPath, ready: 'room' });
    expect(profile.args).toEqual([path.join(profile.cwd, 'dist/main.js')]);
    expect(profile.voices.length).toBeGreaterThan(0);
  });

  test('of the reference agent has its silence watched; of another nobody knows what its silence means', () => {
    const events = 'auto';
    expect(readSingleProfile(readConfig(ENOUGH))).toMatchObject({ deadAirSettings: {}, events });
    const own = readSingleProfile(readConfig({ ...ENOUGH, AGENT_COMMAND: 'bot' }));
    expect(own).toMatchObject({ deadAirSettings: undefined, events });
  });
});
