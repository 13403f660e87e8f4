import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { makeTempDir, startStack, type TempDir, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { sessionOf, waitForStatus } from './support/sessions.js';

const SILENCE_MS = 5000;

/** An agent that hears its caller when it gets SIGUSR1, and knows nothing of what it may be told to say. */
const TALKER = agent('talks-in-events.sh');
const PROFILES = `profiles:
  default:
    command: ${TALKER}
    dead_air_settings: {silence_timeout_normal: ${SILENCE_MS / 1000}, disconnect_delay: 1, checkin_message: Hm?}
  replaced:
    command: ${TALKER}
    dead_air_settings: {agent_response_timeout: 1, silence_timeout_normal: 60}
  given-up:
    command: ${TALKER}
    dead_air_settings: {agent_response_timeout: 1, frozen_agent_action: end, apology_message: Oh}
`;

let dir: TempDir;
let stack: TestStack;

beforeAll(async () => {
  dir = await makeTempDir('dead-air');
  const profiles = path.join(dir.path, 'profiles.yaml');
  writeFileSync(profiles, PROFILES);
  stack = await startStack({ env: { PROFILES_FILE: profiles }, webhooks: true });
}, 30_000);
afterEach(leaveCalls);
afterAll(async () => {
  await stack.stop();
  await dir.remove();
});

interface Step {
  step: string;
  atMs: number;
}

/** What dead air made happen so far, from the stream of the session. */
async function stepsOf(sessionId: string): Promise<Step[]> {
  const entries = (await stack.redis.command('XRANGE', `stream:${sessionId}`, '-', '+')) as [
    string,
    string[],
  ][];
  return entries.flatMap(([id, fields]) => {
    const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
    return field('type') === 'dead_air'
      ? [{ step: JSON.parse(field('data')).step, atMs: Number.parseInt(id, 10) }]
      : [];
  });
}

async function waitForStep(sessionId: string, step: string, timeoutMs = 10_000): Promise<Step> {
  return waitFor(async () => (await stepsOf(sessionId)).find((it) => it.step === step), {
    timeoutMs,
    what: `the step ${step}`,
  });
}

/** A call in which both sides are there, and the agent has just greeted. */
async function startQuietCall(profile: string) {
  const call = await startCall(stack, { profile });
  await waitForStep(call.sessionId, 'call_started');
  return call;
}

async function callerSpeaks(sessionId: string): Promise<void> {
  process.kill((await sessionOf(stack, sessionId)).agentPid, 'SIGUSR1');
}

test('an agent that does not answer its caller is replaced, in the same room, and the call goes on', async () => {
  const { sessionId, caller } = await startQuietCall('replaced');
  const before = await sessionOf(stack, sessionId);
  const spokenAt = Date.now();
  await callerSpeaks(sessionId);
  const frozen = await waitForStep(sessionId, 'agent_frozen');
  expect(frozen.atMs - spokenAt).toBeGreaterThan(900);
  expect(frozen.atMs - spokenAt).toBeLessThan(2000);
  await waitFor(async () => (await sessionOf(stack, sessionId)).restarts === 1);
  const after = await waitForStatus(stack, sessionId, 'ready');
  expect(after).toMatchObject({ roomName: before.roomName, generation: before.generation + 1, restarts: 1 });
  expect(after.agentPid).not.toBe(before.agentPid);
  // What was said before is not the new one's to answer.
  await sleep(1500);
  expect((await stepsOf(sessionId)).filter(({ step }) => step === 'agent_frozen')).toHaveLength(1);
  expect(caller.hasStayed()).toBe(true);
}, 40_000);

test('where the settings say so, an agent that does not answer ends the call, though nobody says the apology', async () => {
  const { sessionId } = await startQuietCall('given-up');
  await callerSpeaks(sessionId);
  await waitForStep(sessionId, 'apology');
  expect(await waitForStatus(stack, sessionId, 404, 15_000)).toMatchObject({ endReason: 'agent_frozen' });
}, 40_000);

test('a spawner that is killed during a silence changes nothing of it, and hears what was said meanwhile', async () => {
  const [asked, spoke] = await Promise.all([startQuietCall('default'), startQuietCall('default')]);
  const quietSince = (await stepsOf(asked.sessionId))[0]?.atMs ?? 0;
  await stack.spawner.kill();
  await callerSpeaks(spoke.sessionId);
  await stack.startSpawner();
  const checkin = await waitForStep(asked.sessionId, 'checkin');
  expect(checkin.atMs - quietSince).toBeGreaterThan(SILENCE_MS - 100);
  expect(checkin.atMs - quietSince).toBeLessThan(SILENCE_MS + 1000);
  await sleep(500);
  expect((await stepsOf(spoke.sessionId)).map(({ step }) => step)).toEqual(['call_started']);
}, 40_000);
