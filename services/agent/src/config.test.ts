import { expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from './config.js';

const env = {
  SESSION_ID: 'session_1',
  LIVEKIT_URL: 'ws://localhost:7880',
  LIVEKIT_TOKEN: 'token',
  LIVEKIT_ROOM_NAME: 'room',
};

test('the contract’s variables are enough', () => {
  expect(parseConfig({ ...env, AGENT_MODE: 'prewarm', VOICE_ID: 'slt', OPENAI_API_KEY: '' })).toMatchObject({
    sessionId: 'session_1',
    mode: 'prewarm',
    roomName: 'room',
    userName: '',
    voiceId: 'slt',
    openaiKey: undefined,
  });
});

test('all problems are told at once', () => {
  const parse = () => parseConfig({ AGENT_MODE: 'cold', LIVEKIT_URL: '' });
  expect(parse).toThrow(ConfigError);
  expect(parse).toThrow(/AGENT_MODE is "cold".*|SESSION_ID is missing/);
  expect(parse).toThrow(/SESSION_ID.*LIVEKIT_URL.*LIVEKIT_TOKEN.*ROOM_NAME/);
});
