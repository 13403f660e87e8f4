import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  baseEnvironment,
  makeTempDir,
  type RunningProcess,
  readCommandLine,
  startProcess,
  startStack,
  type TempDir,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { sessionOf, waitForStatus } from './support/sessions.js';

const SILENCE_MS = 7000;
const EAR = fileURLToPath(new URL('../services/spawner/dist/room-ear/main.js', import.meta.url));

/** An agent that hears its caller when it gets SIGUSR1, and knows nothing of what it may be told to say. */
const HUMS = agent('hums-until-told.mjs');
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
  humming:
    command: ${HUMS}
    ready: room
    dead_air_settings: {silence_timeout_normal: 3, max_checkins_before_disconnect: 50}
  mute:
    command: ${agent('joins-room.mjs')}
    ready: room
    events: room
    dead_air_settings: {silence_timeout_normal: 3, agent_response_timeout: 60}
  frozen:
    command: ${agent('joins-room.mjs')}
    ready: room
    dead_air_settings: {silence_timeout_normal: 60, agent_response_timeout: 1}
  curt:
    command: ${TALKER}
    dead_air_settings: {silence_timeout_normal: 4, max_checkins_before_disconnect: 0, agent_response_timeout: 60}
`;

let dir: TempDir;
let stack: TestStack;

beforeAll(async () => {
  dir = await makeTempDir('dead-air');
  const profiles = path.join(dir.path, 'profiles.yaml');
  writeFileSync(profiles, PROFILES);
  stack = await startStack({ env: { PROFILES_FILE: profiles, LEAVE_GRACE: '2' }, webhooks: true });
}, 30_000);
afterEach(leaveCalls);
afterAll(async () => {
  await stack.stop();
  await dir.remove();
  expect(listeners()).toEqual([]);
});

/** The programs that listen in rooms, of this checkout. */
function listeners(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readCommandLine(Number(name)).includes(EAR))
    .map(Number);
}

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

async function stepNames(sessionId: string): Promise<string[]> {
  return (await stepsOf(sessionId)).map(({ step }) => step);
}

async function waitForStep(sessionId: string, step: string, timeoutMs = 10_000): Promise<Step> {
  return waitFor(async () => (await stepsOf(sessionId)).find((it) => it.step === step), {
    timeoutMs,
    what: `the step ${step}`,
  });
}

/** What is known of a call. */
async function callOf(sessionId: string) {
  return JSON.parse(String(await stack.redis.command('HGET', `call:${sessionId}`, 'state')));
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

/** A caller who hums without a pause. */
async function startHummingCall(profile: string): Promise<{ sessionId: string; hum: RunningProcess }> {
  const { body } = await stack.request('POST', '/api/session/start', { profile });
  const env = { ...baseEnvironment(), LIVEKIT_URL: body.livekitUrl, LIVEKIT_TOKEN: body.token };
  const hum = await startProcess({
    name: 'humming caller',
    command: 'sh',
    args: ['-c', `exec ${HUMS}`],
    env,
  });
  await waitForStep(body.sessionId, 'call_started', 20_000);
  return { sessionId: body.sessionId, hum };
}

test('who speaks is heard in the room where agents do not tell, by somebody whom nobody takes for a caller', async () => {
  const [humming, heard] = await Promise.all([startQuietCall('humming'), startHummingCall('mute')]);
  // Of the one agent nothing is said: it has its time to report something, before somebody listens.
  await sleep(9000);
  expect(await stepNames(humming.sessionId)).toEqual(['call_started']);
  expect(await stepNames(heard.sessionId)).toEqual(['call_started']);
  const [room] = await stack.livekit.rooms.listRooms([humming.caller.roomName]);
  expect(room?.activeRecording).toBe(false);
  expect(humming.caller.events().filter(({ identity }) => identity?.startsWith('ear'))).toEqual([]);

  // Whatever becomes of the listener, no call is touched, and another one hears on.
  const [listener] = listeners();
  expect(listeners()).toHaveLength(1);
  process.kill(listener ?? 0, 'SIGKILL');
  const silentSince = Date.now();
  await callerSpeaks(humming.sessionId);
  const checkin = await waitForStep(humming.sessionId, 'checkin');
  expect(checkin.atMs - silentSince).toBeGreaterThan(3000);
  expect(checkin.atMs - silentSince).toBeLessThan(8000);
  expect(await stepNames(heard.sessionId)).toEqual(['call_started']);

  await humming.caller.leave();
  expect(await waitForStatus(stack, humming.sessionId, 404, 15_000)).toMatchObject({
    endReason: 'caller_left',
  });
  await heard.hum.stop();
}, 60_000);

test('an agent that froze before its first word or report is replaced when it does not answer its caller', async () => {
  const { sessionId, hum } = await startHummingCall('frozen');
  await waitFor(async () => (await callOf(sessionId)).caller.active, {
    timeoutMs: 10_000,
    what: 'the caller to be heard',
  });
  await sleep(1500);
  expect(await stepNames(sessionId)).toEqual(['call_started']);
  process.kill(hum.pid, 'SIGUSR1');
  await waitForStep(sessionId, 'agent_frozen');
  await waitFor(async () => (await sessionOf(stack, sessionId)).restarts === 1);
  await hum.stop();
}, 60_000);

test('while the spawner is away, nobody is hung up on: it alone would have heard that the caller spoke', async () => {
  const [silent, spoke] = await Promise.all([startQuietCall('curt'), startQuietCall('curt')]);
  await sleep(1500);
  await stack.spawner.kill();
  const spokenAt = Date.now();
  await callerSpeaks(spoke.sessionId);
  // Both should have ended by now.
  await sleep(4500);
  for (const { sessionId } of [silent, spoke]) expect(await stepNames(sessionId)).toEqual(['call_started']);
  await stack.startSpawner();
  const backAt = Date.now();
  // Its agent has reported nothing for long, so that somebody must be in the room first.
  const ending = await waitForStep(silent.sessionId, 'call_ending', 5000);
  expect(ending.atMs - backAt).toBeLessThan(2500);
  await sleep(1000);
  // It counts from when it was said, not from when it was read.
  const { words } = await callOf(spoke.sessionId);
  expect(Math.abs(words.at - spokenAt)).toBeLessThan(1000);
  expect(await stepNames(spoke.sessionId)).toEqual(['call_started']);
  expect(spoke.caller.hasStayed()).toBe(true);
}, 40_000);

test('a spawner that is killed during a silence changes nothing of it, and hears what was said meanwhile', async () => {
  const [asked, spoke] = await Promise.all([startQuietCall('default'), startQuietCall('default')]);
  const quietSince = (await stepsOf(asked.sessionId))[0]?.atMs ?? 0;
  // It has heard for the calls before.
  expect(listeners()).toHaveLength(1);
  await stack.spawner.kill();
  await waitFor(() => listeners().length === 0);
  await callerSpeaks(spoke.sessionId);
  await stack.startSpawner();
  const checkin = await waitForStep(asked.sessionId, 'checkin');
  expect(checkin.atMs - quietSince).toBeGreaterThan(SILENCE_MS - 100);
  expect(checkin.atMs - quietSince).toBeLessThan(SILENCE_MS + 1000);
  await sleep(500);
  expect(await stepNames(spoke.sessionId)).toEqual(['call_started']);
}, 40_000);
