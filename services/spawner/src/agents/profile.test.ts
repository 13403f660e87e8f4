import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../config.js';
import { fillPlaceholders, readDefaultProfile, splitCommandLine } from './profile.js';

const ENOUGH = {
  REDIS_URL: 'redis://127.0.0.1:1',
  LIVEKIT_URL: 'ws://127.0.0.1:1',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};

const profileOf = (agentCommand: string) =>
  readDefaultProfile(readConfig({ ...ENOUGH, AGENT_COMMAND: agentCommand }));

describe('AGENT_COMMAND', () => {
  test('is split as a shell would, and nothing is expanded', () => {
    expect(splitCommandLine(`bot "a b" 'c d' e\\ f $HOME *.py`)).toEqual([
      'bot',
      'a b',
      'c d',
      'e f',
      '$HOME',
      '*.py',
    ]);
    expect(profileOf('bot connect --room {room}')).toMatchObject({
      command: 'bot',
      args: ['connect', '--room', '{room}'],
      ready: 'any',
    });
  });

  test.each(['bot | tee log', 'bot > log', 'bot && other', 'bot & other', 'bot # why'])(
    '%s needs a shell, and is refused with the way out',
    (line) => {
      expect(() => profileOf(line)).toThrow(/only a shell understands.*sh -c/);
    },
  );

  test('its placeholders are filled once: what a caller sends is not looked through again', () => {
    const values = { room: 'r', sessionId: 's', userName: '{room} $(id)', voiceId: '', mode: 'user' };
    expect(fillPlaceholders('--name={userName}', values)).toBe('--name={room} $(id)');
    expect(fillPlaceholders('{room}/{sessionId}/{mode}/{voiceId}', values)).toBe('r/s/user/');
    expect(fillPlaceholders('{token} {LIVEKIT_TOKEN} {constructor}', values)).toBe(
      '{token} {LIVEKIT_TOKEN} {constructor}',
    );
  });

  test.each([
    `sh -c 'bot --name "{userName}"'`,
    `bash -lc "bot --voice '{voiceId}'"`,
    `env python -c 'print("{userName}")'`,
    `sh -c 'bot;{userName}'`,
  ])('%s would run what a caller sends, and is refused with the way out', (line) => {
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
