import { expect, test } from '@jest/globals';
import type { SessionRecord } from '@greenroom/redis-schema';
import { readConfig } from '../config.js';
import { buildAgentEnvironment } from './agent-environment.js';
import { readSingleProfile } from './single-profile.js';

const SPAWNERS = {
  REDIS_URL: 'redis://:password@127.0.0.1:1',
  LIVEKIT_URL: 'ws://127.0.0.1:1',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
  ADMIN_TOKEN: 'admin',
  AGENT_COMMAND: 'bot',
  PATH: '/bin',
  HOME: '/home/x',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  TMPDIR: '/tmp',
  OPENAI_API_KEY: 'sk-1',
  OTHER: 'ours',
};

function environmentOf(spawners: Record<string, string>, session: Partial<SessionRecord> = {}) {
  return buildAgentEnvironment({
    session: {
      id: 'session_1',
      mode: 'user',
      profile: 'default',
      roomName: 'greenroom-session_1',
      ...session,
    } as SessionRecord,
    profile: readSingleProfile(readConfig(spawners)),
    launch: 'launch-1',
    eventsFile: '/state/events/1.jsonl',
    livekitUrl: 'ws://127.0.0.1:1',
    livekitToken: 'token',
  });
}

const CONTRACT = {
  SESSION_ID: 'session_1',
  AGENT_ID: 'session_1',
  GREENROOM_LAUNCH: 'launch-1',
  GREENROOM_EVENTS: '/state/events/1.jsonl',
  AGENT_MODE: 'user',
  LIVEKIT_URL: 'ws://127.0.0.1:1',
  LIVEKIT_TOKEN: 'token',
  LIVEKIT_ROOM_NAME: 'greenroom-session_1',
  ROOM_NAME: 'greenroom-session_1',
  USER_ID: '',
  USER_NAME: '',
  VOICE_ID: '',
  PROFILE: 'default',
  PATH: '/bin',
  HOME: '/home/x',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  TMPDIR: '/tmp',
};

test('an agent gets exactly what the contract lists, and nothing else of ours', () => {
  expect(environmentOf(SPAWNERS)).toEqual(CONTRACT);
  const caller = { userId: 'u1', userName: 'Ada', voiceId: 'slt', mode: 'prewarm' } as const;
  expect(environmentOf(SPAWNERS, caller)).toEqual({
    ...CONTRACT,
    USER_ID: 'u1',
    USER_NAME: 'Ada',
    VOICE_ID: 'slt',
    AGENT_MODE: 'prewarm',
  });
});

test('AGENT_ENV adds what it names, the API secret only by name, and cannot replace what the contract gives', () => {
  const listed = { ...SPAWNERS, AGENT_ENV: 'OPENAI_API_KEY,LIVEKIT_API_SECRET,LIVEKIT_URL' };
  expect(environmentOf(listed)).toEqual({
    ...CONTRACT,
    OPENAI_API_KEY: 'sk-1',
    LIVEKIT_API_SECRET: 'secret',
  });
});

test('a name in AGENT_ENV that is not set is told at the start', () => {
  expect(() => readConfig({ ...SPAWNERS, AGENT_ENV: 'DEEPGRAM_API_KEY' })).toThrow(
    /AGENT_ENV names DEEPGRAM_API_KEY, which is not set/,
  );
});
