import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { makeTempDir, startStack, type TempDir, type TestStack, waitFor } from '@greenroom/test-kit';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { startSecondSpawner } from './support/second-spawner.js';
import { endSession, sessionOf, startReady, startSession, waitForStatus } from './support/sessions.js';

const TALKER = `
  talker:
    description: Talks of its surroundings
    command: ${agent('prints-by-voice.mjs')} --for {sessionId}
    env: [EXTRA_KEY]
    variables: {MOOD: good}
    voices: [environment, {id: numbers, name: Counts}]
    limits: {memoryMb: 900, processes: 77}
    pool: 1`;

const PROFILES = `profiles:
  default:
    command: [sh, -c, 'trap "exit 0" TERM; echo "Connected to nothing yet"; sleep 0.4; echo "The LINE is open to $MOOD"; while :; do sleep 600 & wait; done']
    variables: {MOOD: all}
    ready: pattern
    readyPatterns: {caller: ['/^the line is open to all$/i']}
    voices: [plain]
  hasty:
    command: ${agent('never-ready.sh')}
    startupTimeout: 0.5
  frail:
    command: ${agent('joins-room.mjs')}
    ready: room
    restart: {intensity: 0}
  sturdy:
    command: ${agent('joins-room.mjs')}
    ready: room${TALKER}
`;

let folder: TempDir;
let file: string;
let stack: TestStack;

beforeAll(async () => {
  folder = await makeTempDir('profiles');
  file = path.join(folder.path, 'profiles.yaml');
  writeFileSync(file, PROFILES);
  stack = await startStack({
    env: { PROFILES_FILE: file, EXTRA_KEY: 'k-1', SPAWN_ATTEMPTS: '1', AGENT_PROCESS_LIMIT: '55' },
  });
});
afterEach(leaveCalls);
afterAll(async () => {
  await stack.stop();
  await folder.remove();
});

async function poolsOf(): Promise<Record<string, { target: number; ready: number }>> {
  const { pools } = (await stack.request('GET', '/api/pool')).body;
  return Object.fromEntries(
    pools.map(({ profile, target, ready }: { profile: string; target: number; ready: number }) => [
      profile,
      { target, ready },
    ]),
  );
}

async function profileNames(): Promise<string[]> {
  const { profiles } = (await stack.request('GET', '/api/profiles')).body;
  return profiles.map(({ name }: { name: string }) => name);
}

async function linesOf(sessionId: string): Promise<string[]> {
  return (await stack.request('GET', `/api/session/${sessionId}/logs`)).body.lines;
}

test('every client sees all profiles and their voices, and no command line', async () => {
  const { body } = await stack.request('GET', '/api/profiles', undefined, { authorization: '' });
  expect(body.profiles).toEqual([
    { name: 'default', voices: [{ id: 'plain', name: 'plain' }] },
    { name: 'frail', voices: [] },
    { name: 'hasty', voices: [] },
    { name: 'sturdy', voices: [] },
    {
      name: 'talker',
      description: 'Talks of its surroundings',
      voices: [
        { id: 'environment', name: 'environment' },
        { id: 'numbers', name: 'Counts' },
      ],
    },
  ]);
});

test('each profile has its own pool, and a warm agent of one is never given to a caller of another', async () => {
  await waitFor(async () => (await poolsOf())['talker']?.ready === 1, { timeoutMs: 15_000 });
  expect(await poolsOf()).toEqual({
    default: { target: 0, ready: 0 },
    frail: { target: 0, ready: 0 },
    hasty: { target: 0, ready: 0 },
    sturdy: { target: 0, ready: 0 },
    talker: { target: 1, ready: 1 },
  });
  const cold = await stack.request('POST', '/api/session/start', {});
  expect([cold.status, cold.body.prewarmed]).toEqual([202, false]);
  const warm = await stack.request('POST', '/api/session/start', { profile: 'talker' });
  expect([warm.status, warm.body.prewarmed]).toEqual([200, true]);
  await waitFor(async () => (await poolsOf())['talker']?.ready === 1, { timeoutMs: 15_000 });
  await Promise.all([endSession(stack, cold.body.sessionId), endSession(stack, warm.body.sessionId)]);
});

test('command line, environment and limits are those of the profile', async () => {
  await stack.request('POST', '/api/pool/resize', { profile: 'talker', size: 0 });
  await waitFor(async () => (await poolsOf())['talker']?.ready === 0);
  const talker = await startReady(stack, { profile: 'talker', voiceId: 'environment' });
  const plain = await startReady(stack);
  await waitFor(async () => (await linesOf(talker)).some((line) => line.startsWith('ARGV')));
  const lines = await linesOf(talker);
  expect(lines).toContain('EXTRA k-1');
  expect(lines).toContain(`ARGV --for ${talker}`);
  expect(lines.find((line) => line.startsWith('NAMES'))).toMatch(/ MOOD .* PROFILE /);
  expect(await linesOf(plain)).toEqual(['Connected to nothing yet', 'The LINE is open to all']);
  const limitsOf = async (id: string) =>
    (await stack.request('GET', `/api/debug/session/${id}/processes`)).body.limits;
  expect(await limitsOf(talker)).toMatchObject({ memory_bytes: 900 * 1024 * 1024, processes: 77 });
  expect(await limitsOf(plain)).toMatchObject({ memory_bytes: null, processes: 55 });
  await Promise.all([endSession(stack, talker), endSession(stack, plain)]);
  await stack.request('POST', '/api/pool/resize', { profile: 'talker', size: 1 });
});

test('a profile’s own patterns hold instead of the well-known ones', async () => {
  const startedAt = performance.now();
  const sessionId = await startReady(stack);
  // "Connected to" stands in its first line.
  expect((await sessionOf(stack, sessionId)).startupTime).toBeGreaterThan(400);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await endSession(stack, sessionId);
});

test('a profile’s own startup timeout holds', async () => {
  const sessionId = await startSession(stack, { profile: 'hasty' });
  const { error } = await waitForStatus(stack, sessionId, 'error', 5000);
  expect(error).toBe('The agent was not ready within 0.5 s.');
});

test('a profile’s own restart intensity holds: one gives up where the other starts its agent again', async () => {
  const [frail, sturdy] = await Promise.all(
    ['frail', 'sturdy'].map((profile) => startCall(stack, { profile })),
  );
  if (frail === undefined || sturdy === undefined) throw new Error('unreachable');
  for (const { sessionId } of [frail, sturdy]) {
    const { agentPid } = await waitForStatus(stack, sessionId, 'ready', 20_000);
    process.kill(agentPid, 'SIGKILL');
  }
  expect(await waitForStatus(stack, frail.sessionId, 404)).toMatchObject({ endReason: 'agent_crashed' });
  await waitFor(async () => (await sessionOf(stack, sturdy.sessionId)).restarts === 1);
  await waitForStatus(stack, sturdy.sessionId, 'ready', 20_000);
  await endSession(stack, sturdy.sessionId);
});

test('spawners may run different profiles: each launch goes to a host that has its profile', async () => {
  const other = path.join(folder.path, 'other.json');
  writeFileSync(other, JSON.stringify({ profiles: { other: { command: agent('ready-then-waits.sh') } } }));
  expect((await stack.request('POST', '/api/session/start', { profile: 'other' })).body.code).toBe(
    'unknown_profile',
  );
  const second = await startSecondSpawner(stack, { PROFILES_FILE: other });
  try {
    expect(second.output()).toMatch(/no profile is named default/);
    expect(await profileNames()).toEqual(['default', 'frail', 'hasty', 'other', 'sturdy', 'talker']);
    const wanted = ['default', 'other', 'default', 'other', 'other', 'default'];
    const ids = await Promise.all(wanted.map((profile) => startReady(stack, { profile })));
    const sessions = await Promise.all(ids.map((id) => sessionOf(stack, id)));
    expect(sessions.map(({ profile, host }) => [profile, host])).toEqual(
      wanted.map((profile) => [profile, profile === 'other' ? 'second-host' : 'test-host']),
    );
    // A doorbell that the wrong host hears is passed on: no launch waits for a heartbeat.
    const startedAt = performance.now();
    for (let count = 0; count < 6; count += 1) ids.push(await startReady(stack, { profile: 'other' }));
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await Promise.all(ids.map((id) => endSession(stack, id)));
    await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
  } finally {
    await second.stop();
  }
  expect(await profileNames()).not.toContain('other');
  const refused = await stack.request('POST', '/api/session/start', { profile: 'other' });
  expect([refused.status, refused.body.code]).toEqual([503, 'no_host']);
});

test('a profile that is taken out of the file: its calls go on, its warm agents go, and nobody gets it any more', async () => {
  await waitFor(async () => (await poolsOf())['talker']?.ready === 1, { timeoutMs: 15_000 });
  const call = await stack.request('POST', '/api/session/start', { profile: 'talker' });
  await waitFor(async () => (await poolsOf())['talker']?.ready === 1, { timeoutMs: 15_000 });
  const { agentPid } = await sessionOf(stack, call.body.sessionId);
  await stack.spawner.kill();
  writeFileSync(file, PROFILES.replace(TALKER, ''));
  await stack.startSpawner();
  await waitFor(async () => (await poolsOf())['talker'] === undefined);
  expect(await sessionOf(stack, call.body.sessionId)).toMatchObject({ status: 'ready', agentPid });
  expect(await profileNames()).toEqual(['default', 'frail', 'hasty', 'sturdy']);
  const refused = await stack.request('POST', '/api/session/start', { profile: 'talker' });
  expect([refused.status, refused.body.code]).toEqual([503, 'no_host']);
  // Without a profile there is no next agent for it.
  process.kill(agentPid, 'SIGKILL');
  await waitForStatus(stack, call.body.sessionId, 404);
  await waitFor(() => stack.agentProcesses().length === 0);
});
