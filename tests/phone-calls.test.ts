import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  makeTempDir,
  type PhoneCall,
  startStack,
  startTelnyx,
  type TempDir,
  type TelnyxEvent,
  type TestStack,
  type TestTelnyx,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agent } from './support/agents.js';
import { keysOf, sessionOf, waitForStatus } from './support/sessions.js';

const SILENCE_MS = 2000;
const PROFILES = `profiles:
  default:
    command: ${agent('speaks-by-signal.sh')}
    events: agent
    dead_air_settings:
      silence_timeout_normal: ${SILENCE_MS / 1000}
      disconnect_delay: 0.5
      max_checkins_before_disconnect: 1
`;

let dir: TempDir;
let telnyx: TestTelnyx;
let stack: TestStack;

beforeAll(async () => {
  dir = await makeTempDir('phone-calls');
  const profiles = path.join(dir.path, 'profiles.yaml');
  writeFileSync(profiles, PROFILES);
  telnyx = await startTelnyx({ maxDelayMs: 20, doubled: 0.2, speakMs: () => 200 });
  stack = await startStack({
    env: {
      PROFILES_FILE: profiles,
      JOIN_GRACE: '3',
      LEAVE_GRACE: '1',
      HEALTH_CHECK_INTERVAL: '0.5',
      TELNYX_LINK: 'sip',
      TELNYX_SIP_URI: 'sip:{room}@sip.example.test',
      ...telnyx.env,
    },
  });
  telnyx.deliverTo([stack.apiUrl]);
}, 30_000);
afterAll(async () => {
  await telnyx.stop();
  await stack.stop();
  await dir.remove();
});

/** A phone call whose agent is there. */
async function call(): Promise<{ phone: PhoneCall; sessionId: string }> {
  const before = new Set(await liveSessions());
  const phone = telnyx.dial();
  await phone.waitForCommand('transfer');
  const [sessionId = ''] = (await liveSessions()).filter((id) => !before.has(id));
  await waitForStatus(stack, sessionId, 'ready');
  return { phone, sessionId };
}

async function liveSessions(): Promise<string[]> {
  const { body } = await stack.request('GET', '/api/sessions');
  return body.sessions.map(({ sessionId }: { sessionId: string }) => sessionId);
}

async function expectNothingLeft({ id }: PhoneCall, sessionId: string): Promise<void> {
  await waitForStatus(stack, sessionId, 404);
  expect(await keysOf(stack, sessionId)).toEqual([]);
  await waitFor(async () => ((await stack.redis.command('KEYS', `*${id}*`)) as string[]).length === 0);
  expect(await stack.redis.command('ZCARD', 'calls:due')).toBe(0);
  await waitFor(() => stack.agentProcesses().length === 0);
  expect(stack.logs()).not.toContain(telnyx.apiKey);
}

test('goes on though LiveKit shows no caller; nobody is asked while the agent speaks, and silence ends it', async () => {
  const { phone, sessionId } = await call();
  const { agentPid } = await sessionOf(stack, sessionId);
  process.kill(agentPid, 'SIGUSR1');
  await sleep(SILENCE_MS + 1500);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', restarts: 0 });
  expect(phone.commands('speak')).toEqual([]);

  process.kill(agentPid, 'SIGUSR2');
  const quietAt = Date.now();
  const asked = await phone.waitForCommand('speak');
  expect(asked.at - quietAt).toBeGreaterThan(SILENCE_MS - 300);
  await phone.waitForCommand('hangup');
  await expectNothingLeft(phone, sessionId);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ endReason: 'dead_air' });
});

test('whose agent crashes gets another one; the phone stays, and its end is the end of everything', async () => {
  const { phone, sessionId } = await call();
  const talking = setInterval(() => void phone.callerSays('hello?', 100).catch(() => undefined), 700);
  try {
    process.kill((await sessionOf(stack, sessionId)).agentPid, 'SIGKILL');
    await waitFor(async () => (await sessionOf(stack, sessionId)).restarts === 1);
    await waitForStatus(stack, sessionId, 'ready');
    expect(phone.status).toBe('answered');
  } finally {
    clearInterval(talking);
  }
  phone.hangup();
  await expectNothingLeft(phone, sessionId);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ endReason: 'caller_hung_up' });
});

test('that an admin ends is hung up, and so is one whose agent says goodbye for ever', async () => {
  const { phone, sessionId } = await call();
  await stack.request('POST', '/api/session/end', { sessionId });
  await phone.waitForCommand('hangup');
  await expectNothingLeft(phone, sessionId);

  const other = await call();
  process.kill((await sessionOf(stack, other.sessionId)).agentPid, 'SIGTERM');
  await other.phone.waitForCommand('hangup');
  await expectNothingLeft(other.phone, other.sessionId);
});

test('Redis is emptied in the middle of two: one goes on, is asked again in time and ends once, the other was hung up just then', async () => {
  const other = await call();
  // So that nobody is asked there.
  process.kill((await sessionOf(stack, other.sessionId)).agentPid, 'SIGUSR1');
  const { phone, sessionId } = await call();
  await phone.waitForEvent('call.speak.ended');
  await phone.callerSays('yes', 50);
  await telnyx.settled();
  const { agentPid } = await sessionOf(stack, sessionId);
  const [initiated] = phone.events;

  await stack.redis.command('FLUSHALL');
  other.phone.hangup();
  await tellAgain(initiated!);
  const silentFrom = await silenceBegins(phone);
  const asked = await phone.waitForCommand('speak', 2);
  expect(asked.at - silentFrom).toBeGreaterThan(SILENCE_MS - 100);
  expect(asked.at - silentFrom).toBeLessThan(SILENCE_MS + 300);
  expect(await tellAgain(initiated!)).toBe(200);
  expect(await liveSessions()).toEqual([sessionId]);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', agentPid });

  await phone.waitForCommand('hangup');
  await expectNothingLeft(phone, sessionId);
  await expectNothingLeft(other.phone, other.sessionId);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ endReason: 'dead_air' });
  expect(await sessionOf(stack, other.sessionId)).toMatchObject({ endReason: 'caller_hung_up' });
  for (const [action, times] of [
    ['answer', 1],
    ['transfer', 1],
    ['speak', 2],
    ['hangup', 1],
  ] as const) {
    expect(phone.commands(action)).toHaveLength(times);
  }
  expect(phone.requests.filter(({ outcome }) => outcome === 'duplicate')).toEqual([]);
}, 45_000);

/** Telnyx tells something a second time. */
function tellAgain(event: TelnyxEvent): Promise<number | undefined> {
  const { body, headers } = telnyx.signed(event);
  return telnyx.post(stack.apiUrl, body, headers);
}

/** When the call is watched again, and nobody speaks. */
async function silenceBegins({ id }: PhoneCall): Promise<number> {
  let startedAt = 0;
  await waitFor(
    async () => {
      const state = JSON.parse(String(await stack.redis.command('HGET', `call:${id}`, 'state')));
      startedAt = state?.startedAt ?? 0;
      return startedAt > 0;
    },
    { timeoutMs: 25_000 },
  );
  return startedAt;
}
