import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { baseEnvironment, makeTempDir, startLiveKit, type TestLiveKit, waitFor } from '@greenroom/test-kit';
import { findSpeechPrograms } from './speech/programs.js';
import {
  type AgentUnderTest,
  type CallerUnderTest,
  makeRoom,
  startAgent,
  startCaller,
} from './testing/harness.js';
import { type OpenaiServer, startOpenaiServer } from './testing/openai-server.js';

let livekit: TestLiveKit;
let agent: AgentUnderTest | undefined;
let caller: CallerUnderTest | undefined;

beforeAll(async () => {
  livekit = await startLiveKit();
});
afterEach(async () => {
  await caller?.leave();
  await agent?.stop();
  caller = agent = undefined;
});
afterAll(() => livekit.stop());

async function agentSaid(text: RegExp, since = 0): Promise<string> {
  const event = await waitFor(
    async () =>
      (await agent?.events())?.find(
        ({ role, at, text: said }) => role === 'agent' && at >= since && text.test(String(said)),
      ),
    { timeoutMs: 20_000, what: `the agent to say ${text}` },
  );
  return String(event['text']);
}

describe('on a machine that lacks a speech program', () => {
  test('without a recognizer it says so, and answers what is typed', async () => {
    const dir = await makeTempDir('path');
    symlinkSync(
      findSpeechPrograms(baseEnvironment()['PATH'] ?? '').espeak ?? '',
      join(dir.path, 'espeak-ng'),
    );
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { PATH: dir.path, USER_NAME: 'Ada' });
    caller = await startCaller(livekit, room);
    await agentSaid(/^Hello, Ada\. I can not listen/);
    await caller.type('What day is it?');
    expect(await agentSaid(/^Today is/)).toMatch(/\d{4}\.$/);
    await dir.remove();
  }, 40_000);

  test('without a voice it fails and says what to install', async () => {
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { PATH: '/nowhere' });
    expect((await agent.process.exited).code).toBe(1);
    expect(agent.process.output()).toContain('install flite or espeak-ng');
    expect(await agent.events()).toMatchObject([{ event: 'error' }]);
  });
});

describe('with the key of a cloud service', () => {
  let cloud: OpenaiServer;
  beforeAll(async () => {
    cloud = await startOpenaiServer();
  });
  afterAll(() => cloud.stop());

  test('that service listens, thinks and speaks, knows the caller, and can hang up', async () => {
    const room = await makeRoom(livekit);
    const startedAt = Date.now();
    agent = await startAgent(livekit, room, {
      OPENAI_API_KEY: 'test',
      OPENAI_BASE_URL: cloud.url,
      USER_NAME: 'Ada',
    });
    caller = await startCaller(livekit, room);
    await agentSaid(/^Hello, Ada/);
    await caller.listenOut(startedAt);

    await caller.say('what time is it');
    await agentSaid(/^You said: cloud words/);
    expect(cloud.asked).toEqual(
      expect.arrayContaining([
        'POST /v1/audio/speech',
        'POST /v1/audio/transcriptions',
        'POST /v1/chat/completions',
      ]),
    );
    expect(JSON.stringify(cloud.lastMessages()[0])).toContain("The caller's name is Ada.");

    await caller.type('goodbye');
    await agentSaid(/^So long/);
    expect(await agent.process.exited).toEqual({ code: 0, signal: null });
    expect((await agent.events()).at(-1)).toMatchObject({ event: 'end', reason: 'goodbye' });
  }, 60_000);
});
