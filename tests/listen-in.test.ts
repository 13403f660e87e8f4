import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  makeTempDir,
  type RunningProcess,
  startProcess,
  startStack,
  type TempDir,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { AccessToken, TokenVerifier } from 'livekit-server-sdk';
import { agent } from './support/agents.js';
import { leaveCalls, startCall } from './support/caller.js';
import { keysOf, sessionOf, startReady, waitForStatus } from './support/sessions.js';

const ANNOUNCEMENT = 'A colleague of ours is listening now.';
const LISTENER = fileURLToPath(new URL('./fixtures/callers/listens-in.mjs', import.meta.url));
const PROFILES = `profiles:
  default:
    agent: reference
  obedient:
    command: ${agent('says-what-it-is-told.mjs')}
    ready: room
  mute:
    command: ${agent('joins-room.mjs')}
    ready: room
`;

let dir: TempDir;
let stack: TestStack;
const listening: RunningProcess[] = [];

beforeAll(async () => {
  dir = await makeTempDir('listen-in');
  const profiles = path.join(dir.path, 'profiles.yaml');
  writeFileSync(profiles, PROFILES);
  stack = await startStack({
    env: {
      PROFILES_FILE: profiles,
      LEAVE_GRACE: '2',
      JOIN_GRACE: '4',
      LISTEN_IN: 'announced',
      LISTEN_IN_ANNOUNCEMENT: ANNOUNCEMENT,
    },
    webhooks: true,
  });
}, 30_000);
afterEach(async () => {
  await Promise.all(listening.splice(0).map((it) => it.stop()));
  await leaveCalls();
});
afterAll(async () => {
  await stack?.stop();
  await dir?.remove();
});

const ask = (sessionId: string) => stack.request('POST', `/api/session/${sessionId}/listen`);

async function timelineOf(sessionId: string) {
  const { body } = await stack.request('GET', `/api/session/${sessionId}/timeline`);
  return body.entries as { event: string; data: Record<string, unknown> }[];
}

const listenersIn = async (sessionId: string) =>
  (await timelineOf(sessionId)).filter(({ event }) => event === 'listener');

/** What the obedient agent was told to say, as it stands in its log. */
async function toldIn(sessionId: string): Promise<string[]> {
  const { body } = await stack.request('GET', `/api/session/${sessionId}/logs?download=1`);
  return String(body)
    .split('\n')
    .filter((line) => line.startsWith('announcement: '));
}

/** A token as LiveKit hands it to a listener who is connected, long after it was let in. */
async function renewed(participantToken: string): Promise<string> {
  const { apiKey, apiSecret } = stack.livekit;
  const claims = await new TokenVerifier(apiKey, apiSecret).verify(participantToken);
  const { sub = '', attributes = {}, kind = 'standard', video = {} } = claims;
  const { joinBy } = JSON.parse(claims.metadata ?? '{}');
  const metadata = JSON.stringify({ joinBy: joinBy - 180_000 });
  const token = new AccessToken(apiKey, apiSecret, { identity: sub, attributes, metadata });
  token.kind = kind;
  token.addGrant(video);
  return token.toJwt();
}

async function startListener(url: string, token: string, readyWhen?: { line: RegExp }) {
  const listener = await startProcess({
    name: 'listener',
    command: process.execPath,
    args: [LISTENER],
    env: { ...baseEnvironment(), LIVEKIT_URL: url, TOKEN: token },
    ...(readyWhen && { readyWhen }),
  });
  listening.push(listener);
  return listener;
}

async function listen({ server_url, participant_token }: { server_url: string; participant_token: string }) {
  const listener = await startListener(server_url, participant_token, { line: /"joined"/ });
  return { has: (name: string) => listener.output().includes(`{"event":"${name}"`) };
}

test('an operator hears the call, seen by everybody and unable to do anything; when the caller goes, the call is over', async () => {
  const { sessionId, caller } = await startCall(stack, { profile: 'obedient', voiceId: 'busy' });
  await waitFor(async () => (await sessionOf(stack, sessionId)).callerJoinedAt !== null);
  const before = await sessionOf(stack, sessionId);

  // Into the words of a caller the agent says nothing: it is asked again.
  const { status, body } = await ask(sessionId);
  expect({ status, body }).toMatchObject({ status: 201, body: { success: true, sessionId } });
  const said = (await timelineOf(sessionId)).filter(({ data }) => data.kind === 'said');
  expect(said.map(({ data }) => data.active)).toEqual([false, true, false]);
  expect(await toldIn(sessionId)).toEqual([`announcement: ${ANNOUNCEMENT}`]);

  const listener = await listen(body);
  await waitFor(() => listener.has('hears') && listener.has('tried'), { timeoutMs: 20_000 });
  const inRoom = await stack.livekit.rooms.listParticipants(caller.roomName);
  const { attributes, permission, tracks } = inRoom.find((it) => it.identity === body.identity) ?? {};
  expect({ attributes, tracks }).toEqual({ attributes: { 'greenroom.role': 'listener' }, tracks: [] });
  expect(permission).toMatchObject({ hidden: false, canSubscribe: true });

  // Neither the caller nor the agent: what is known of them is as it was.
  const after = await sessionOf(stack, sessionId);
  expect(after.callerJoinedAt).toBe(before.callerJoinedAt);
  expect(after).toMatchObject({ status: 'ready', generation: 1, restarts: 0 });
  await caller.leave();
  const gone = await waitForStatus(stack, sessionId, 404, 15_000);
  expect(gone.endReason).toBe('caller_left');
  await waitFor(() => listener.has('disconnected'));
  // All that the caller ever noticed of it, though it tried to send more.
  expect(caller.events().filter(({ identity }) => identity === body.identity)).toEqual([
    { event: 'came', identity: body.identity, attributes: { 'greenroom.role': 'listener' } },
  ]);
  const history = await stack.request('GET', `/api/session/${sessionId}/history`);
  expect(history.body.listenedAt).toHaveLength(1);
  expect(await listenersIn(sessionId)).toEqual([
    { event: 'listener', data: { sessionId, at: history.body.listenedAt[0] } },
  ]);
  expect(await keysOf(stack, sessionId)).toEqual([]);
}, 60_000);

test('the reference agent says the announcement aloud, and the caller’s page hears of it', async () => {
  const { sessionId } = await startCall(stack, { userName: 'Ada' });
  const words = async () =>
    (await timelineOf(sessionId)).filter(({ event }) => event === 'transcript').map(({ data }) => data.text);
  await waitFor(async () => (await words()).length > 0, { timeoutMs: 30_000 });
  const { status, body } = await ask(sessionId);
  expect(status).toBe(201);
  await waitFor(async () => (await words()).includes(ANNOUNCEMENT), { timeoutMs: 30_000 });
  expect(await listenersIn(sessionId)).toEqual([
    { event: 'listener', data: expect.objectContaining({ sessionId, identity: body.identity }) },
  ]);
}, 90_000);

test('nobody listens where nobody tells the caller: an agent that knows no orders, or a caller who is not there', async () => {
  const { sessionId } = await startCall(stack, { profile: 'mute' });
  const mute = await ask(sessionId);
  expect([mute.status, mute.body.code]).toEqual([409, 'caller_not_told']);
  expect(await listenersIn(sessionId)).toEqual([]);

  const alone = await startReady(stack, { profile: 'obedient' });
  const startedAt = performance.now();
  const unheard = await ask(alone);
  expect([unheard.status, unheard.body.code]).toEqual([409, 'caller_not_told']);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(await toldIn(alone)).toEqual([]);
}, 60_000);

test('the announcement is heard to its end before anybody listens; what is broken off was not told', async () => {
  const { sessionId } = await startCall(stack, { profile: 'obedient', voiceId: 'slow' });
  expect((await ask(sessionId)).status).toBe(201);
  const entries = (await timelineOf(sessionId))
    .filter(({ event, data }) => event === 'listener' || data.kind === 'said')
    .map(({ event, data }) => [event, data.active]);
  expect(entries).toEqual([
    ['agent', true],
    ['agent', false],
    ['listener', undefined],
  ]);

  const { sessionId: other } = await startCall(stack, { profile: 'obedient', voiceId: 'cut' });
  expect((await ask(other)).body.code).toBe('caller_not_told');
  expect(await listenersIn(other)).toEqual([]);
}, 60_000);

test('who comes back later with a token that LiveKit has renewed is put out: the caller was not told anew', async () => {
  const { sessionId, caller } = await startCall(stack, { profile: 'obedient' });
  const { body } = await ask(sessionId);
  const first = await listen(body);
  await waitFor(() => first.has('hears'), { timeoutMs: 20_000 });
  const back = await startListener(body.server_url, await renewed(body.participant_token));
  // The same identity throws out the one that was there, so it has been in the room.
  await waitFor(() => first.has('disconnected'), { timeoutMs: 10_000 });
  await waitFor(async () => {
    const inRoom = await stack.livekit.rooms.listParticipants(caller.roomName);
    return !inRoom.some(({ identity }) => identity === body.identity);
  });
  expect(back.output()).not.toContain('"hears"');
  expect(caller.hasStayed()).toBe(true);
  expect(await sessionOf(stack, sessionId)).toMatchObject({ status: 'ready', generation: 1 });
}, 60_000);
