import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  makeTempDir,
  type PhoneCall,
  type RunningProcess,
  startProcess,
  startStack,
  startTelnyx,
  type TempDir,
  type TestStack,
  type TestTelnyx,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { agent } from '../support/agents.js';
import { leaveCalls, startCall } from '../support/caller.js';
import { waitForStatus } from '../support/sessions.js';

/** Calls whose silence is watched, heard and acted upon by apis of two versions at once. */
const THIS = fileURLToPath(new URL('../../', import.meta.url));
const WITHOUT_CALLS = process.env['GREENROOM_EARLIER_BUILD'] ?? '';
const WITH_CALLS = process.env['GREENROOM_EARLIER_CALLS_BUILD'] ?? '';
const CALLS = 6;
const PROFILES = `profiles:
  default:
    command: ${agent('speaks-by-signal.sh')}
    dead_air_settings: &curt {silence_timeout_normal: 2, disconnect_delay: 1, max_checkins_before_disconnect: 2}
  obeys:
    command: ${agent('obeys-in-its-room.mjs')}
    dead_air_settings: *curt
`;

describe.each([
  ['an api that knows of no calls, beside this one', { second: WITHOUT_CALLS, spawner: THIS }],
  ['an earlier api that watches calls, beside this one', { second: WITH_CALLS, spawner: THIS }],
  ['both of them, and the earlier spawner', { second: WITH_CALLS, spawner: WITH_CALLS }],
])('%s', (_, { second, spawner }) => {
  let dir: TempDir;
  let telnyx: TestTelnyx;
  let stack: TestStack;
  let other: RunningProcess;

  beforeAll(async () => {
    if (second === '')
      throw new Error('Run this with npm run test:versions: it builds the earlier versions.');
    dir = await makeTempDir('calls');
    const profiles = path.join(dir.path, 'profiles.yaml');
    writeFileSync(profiles, PROFILES);
    telnyx = await startTelnyx({ maxDelayMs: 30, doubled: 0.3, speakMs: () => 300 });
    const link = { TELNYX_LINK: 'sip', TELNYX_SIP_URI: 'sip:{room}@sip.example.test' };
    const env = { PROFILES_FILE: profiles, SPAWN_CONCURRENCY: String(CALLS), ...telnyx.env, ...link };
    stack = await startStack({ builds: { spawner }, webhooks: true, env });
    const url = await startOther();
    telnyx.deliverTo([stack.apiUrl, url]);
  }, 60_000);
  afterEach(leaveCalls);
  afterAll(async () => {
    await telnyx.stop();
    await other.stop();
    await stack.stop();
    await dir.remove();
  });

  async function startOther(): Promise<string> {
    const url = `http://127.0.0.1:${await freePort()}`;
    other = await startProcess({
      name: 'second api',
      command: process.execPath,
      args: [path.join(second, 'services/api/dist/main.js')],
      env: { ...stack.env, PORT: new URL(url).port },
      readyWhen: { url: `${url}/readyz` },
    });
    return url;
  }

  async function sessionsOf(calls: readonly PhoneCall[]): Promise<string[]> {
    return Promise.all(
      calls.map(async ({ id }) => String(await stack.redis.command('HGET', `call:${id}`, 'sessionId'))),
    );
  }

  test('phone calls are asked twice and hung up on, each once', async () => {
    const calls = Array.from({ length: CALLS }, () => telnyx.dial());
    await Promise.all(calls.map((call) => call.waitForCommand('transfer')));
    const ids = await sessionsOf(calls);
    await Promise.all(calls.map((call) => call.waitForCommand('hangup', 1, 30_000)));
    for (const call of calls) {
      const counts = ['answer', 'transfer', 'speak', 'hangup'].map((it) => call.commands(it).length);
      expect(counts).toEqual([1, 1, 2, 1]);
    }
    for (const id of ids) {
      expect(await waitForStatus(stack, id, 404)).toMatchObject({ endReason: 'dead_air' });
    }
    await waitFor(async () => ((await stack.redis.command('KEYS', 'call:*')) as string[]).length === 0);
  }, 60_000);

  test('a session in a room is asked as often as it should be, and ends', async () => {
    const { sessionId } = await startCall(stack, { profile: 'obeys' });
    await waitForStatus(stack, sessionId, 'ready');
    expect(await waitForStatus(stack, sessionId, 404, 40_000)).toMatchObject({ endReason: 'dead_air' });
    const { body } = await stack.request('GET', `/api/session/${sessionId}/history`);
    const asked = body.deadAir.filter(({ step }: { step: string }) => step === 'checkin');
    expect(asked).toHaveLength(2);
  }, 60_000);
});
