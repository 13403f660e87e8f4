import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { DataPacket_Kind } from 'livekit-server-sdk';
import { startLiveKit, type TestLiveKit, waitFor } from '@greenroom/test-kit';
import { NOT_UNDERSTOOD } from './conversation/brain.js';
import {
  type AgentUnderTest,
  type CallerUnderTest,
  isAgentActive,
  makeRoom,
  startAgent,
  startCaller,
} from './testing/harness.js';

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

/** What the agent said, from `since` on. */
async function nextReply(since: number): Promise<string> {
  const spoken = await waitFor(
    async () =>
      (await agent?.events())?.find(
        ({ event, role, at }) => event === 'transcript' && role === 'agent' && at >= since,
      ),
    { timeoutMs: 25_000, what: 'a reply' },
  );
  return String(spoken['text']);
}

async function ask(words: string): Promise<string> {
  const since = (await caller?.say(words)) ?? 0;
  const reply = await nextReply(since);
  await caller?.listenOut(since);
  return reply;
}

describe('a call', () => {
  test('is greeted by name, answered by voice, and ends on goodbye', async () => {
    const room = await makeRoom(livekit);
    const startedAt = Date.now();
    agent = await startAgent(livekit, room, { USER_NAME: 'Ada' });
    caller = await startCaller(livekit, room);
    expect(await nextReply(startedAt)).toMatch(/^Hello, Ada\. /);
    expect((await caller.listenOut(startedAt)).pitchHz).toBeGreaterThan(150);

    const time = await ask('what time is it');
    expect(time).toMatch(/^It is \d{1,2}:\d\d [AP]M\.$/);
    expect(await ask('repeat that')).toBe(time);
    expect(await ask('where is the nearest hospital')).toBe(NOT_UNDERSTOOD);

    const byeAt = await caller.say('goodbye');
    expect(await nextReply(byeAt)).toMatch(/^Goodbye, Ada\. /);
    expect(await agent.process.exited).toEqual({ code: 0, signal: null });
    const events = await agent.events();
    expect(events.at(-1)).toMatchObject({ event: 'end', reason: 'goodbye' });
    expect(await isAgentActive(livekit, room)).toBe(false);

    const names = new Set(events.map(({ event }) => event));
    expect([...names].sort()).toEqual(
      ['agent_speaking', 'end', 'health', 'ready', 'transcript', 'user_speaking'].filter(
        (name) => name !== 'health' || names.has('health'),
      ),
    );
    expect(events.filter(({ role }) => role === 'user').map(({ text }) => text)).toEqual([
      'what time is it',
      'repeat that',
      '[unclear]',
      'goodbye',
    ]);
    // The farewell was heard to its end before the agent hung up.
    const farewell = await caller.listenOut(byeAt);
    expect(farewell.at - byeAt).toBeGreaterThan(1_500);
    // LiveKit's own clients see the transcript of both sides, too.
    const lines = caller.heard().filter(({ transcript }) => transcript !== undefined);
    expect(lines).toContainEqual(
      expect.objectContaining({ by: 'user', transcript: 'what time is it', final: true }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ by: 'agent', transcript: time }));
    // Nothing of what was said is printed.
    expect(agent.process.output()).not.toMatch(/Hello|Ada|time is it|nearest|goodbye,/i);
  }, 90_000);

  test('can be interrupted, typed into, left and taken up again', async () => {
    const room = await makeRoom(livekit, { userName: 'Grace' });
    const startedAt = Date.now();
    agent = await startAgent(livekit, room);
    caller = await startCaller(livekit, room);
    expect(await nextReply(startedAt)).toMatch(/^Hello, Grace\. /);

    await caller.listenOut(startedAt);
    const typedAt = await caller.type('Tell me a story, please!');
    await caller.waitFor('the story', ({ hearing }) => hearing === true, typedAt);
    await sleep(1_500);
    const interruptedAt = await caller.say('hold on');
    const stopped = await waitFor(async () =>
      (await agent?.events())?.find(
        ({ event, active, at }) => event === 'agent_speaking' && active === false && at > interruptedAt,
      ),
    );
    // The story goes on for half a minute: it was cut, not finished.
    expect(stopped.at - interruptedAt).toBeLessThan(2_000);
    const heldAt = stopped.at;
    await waitFor(async () =>
      (await agent?.events())?.some(({ text, at }) => at > heldAt && String(text).startsWith('Of course')),
    );

    await caller.leave();
    caller = undefined;
    await sleep(500);
    expect(agent.process.isRunning()).toBe(true);
    const backAt = Date.now();
    caller = await startCaller(livekit, room, { identity: 'caller-2' });
    expect(await nextReply(backAt)).toMatch(/^Welcome back, Grace\./);
    await caller.listenOut(backAt);
    expect(await ask('what is my name')).toBe('Your name is Grace.');

    // Whoever lost the network is back before LiveKit has noticed that the connection of before is dead.
    const ghost = caller;
    const againAt = Date.now();
    caller = await startCaller(livekit, room, { identity: 'caller-3' });
    expect(await nextReply(againAt)).toMatch(/^Welcome back, Grace\./);
    await caller.listenOut(againAt);
    expect(await ask('what is my name')).toBe('Your name is Grace.');
    await ghost.leave();
    expect(await ask('what time is it')).toMatch(/^It is /);
  }, 90_000);
});

test('what is typed as soon as the agent is seen in the room is answered, though it does not listen yet', async () => {
  const room = await makeRoom(livekit, { userName: 'Grace' });
  caller = await startCaller(livekit, room);
  agent = await startAgent(livekit, room);
  await waitFor(() => isAgentActive(livekit, room), { timeoutMs: 15_000 });
  expect(await agent.events()).toEqual([]);
  await caller.type('What is my name?');
  await agent.waitForEvent({ event: 'transcript', role: 'user', text: 'What is my name?' });
  await agent.waitForEvent({ event: 'transcript', role: 'agent', text: 'Your name is Grace.' });
  // It took back the greeting, of which not a word was spoken yet.
  expect((await agent.events()).filter(({ event }) => event === 'error')).toEqual([]);
  expect(agent.process.isRunning()).toBe(true);
}, 60_000);

describe('what the platform wants to have said', () => {
  const order = async (room: string, topic: string, body: object) => {
    const payload = new TextEncoder().encode(JSON.stringify(body));
    const destinationIdentities = [agent?.identity ?? ''];
    await livekit.rooms.sendData(room, payload, DataPacket_Kind.RELIABLE, { topic, destinationIdentities });
    return Date.now();
  };
  const say = (room: string, commandId: string, text: string) =>
    order(room, 'greenroom.say', { commandId, text, purpose: 'checkin' });
  const announce = (room: string, commandId: string, text: string) =>
    order(room, 'greenroom.say', { commandId, text, purpose: 'announcement' });
  const reportsOf = async (commandId: string) =>
    (await agent?.events())
      ?.filter((it) => it.event === 'said' && it['commandId'] === commandId)
      .map(({ active }) => active);
  const done = async (commandId: string) =>
    agent?.waitForEvent({ event: 'said', commandId, active: false }) ?? Promise.reject(new Error('no agent'));

  test('is said aloud, once, not over the caller, and no longer than it is wanted', async () => {
    const room = await makeRoom(livekit);
    const startedAt = Date.now();
    agent = await startAgent(livekit, room);
    caller = await startCaller(livekit, room);
    await caller.listenOut(startedAt);

    // A caller must not put words into the agent's mouth.
    await caller.send('greenroom.say', {
      commandId: 'forged',
      text: 'I owe you a refund.',
      purpose: 'checkin',
    });
    const askedAt = await say(room, 'checkin-1', 'Are you still there?');
    await say(room, 'checkin-1', 'Are you still there?');

    const ended = await done('checkin-1');
    const heard = await caller.listenOut(askedAt);
    // The caller hears the last sound no sooner than the agent has sent it.
    expect(heard.at).toBeGreaterThan(ended.at);
    expect(await nextReply(askedAt)).toBe('Are you still there?');

    const spokenAt = await caller.say('what time is it');
    await agent.waitForEvent({ event: 'user_speaking', active: true });
    await say(room, 'checkin-2', 'Are you still there?');
    expect((await done('checkin-2')).at - spokenAt).toBeLessThan(2_500);
    await nextReply(spokenAt);
    await caller.listenOut(spokenAt);

    await order(room, 'greenroom.unsay', { commandId: 'checkin-3' });
    await say(room, 'checkin-3', 'This is void.');
    await say(
      room,
      'checkin-4',
      'One two three four five six seven eight nine ten eleven twelve thirteen fourteen.',
    );
    await agent.waitForEvent({ event: 'said', commandId: 'checkin-4', active: true });
    await sleep(1_000);
    const unsaidAt = await order(room, 'greenroom.unsay', { commandId: 'checkin-4' });
    expect((await done('checkin-4')).at - unsaidAt).toBeLessThan(1_000);
    const quiet = await caller.waitFor('silence', ({ hearing }) => hearing === false, unsaidAt);
    // It takes five seconds to say; that it is over shows after 800 ms of silence.
    expect(quiet.at - unsaidAt).toBeLessThan(2_000);

    expect(await reportsOf('checkin-1')).toEqual([true, false]);
    expect(await reportsOf('checkin-2')).toEqual([false]);
    expect(await reportsOf('checkin-3')).toEqual([false]);
    expect(await reportsOf('checkin-4')).toEqual([true, false]);
    expect(await reportsOf('forged')).toEqual([]);
    const said = (await agent.events()).filter(({ role }) => role === 'agent').map(({ text }) => text);
    expect(said.filter((text) => text === 'Are you still there?')).toHaveLength(1);
    expect(said.join(' ')).not.toMatch(/refund|void/);
  }, 60_000);

  test('an announcement is heard, though the caller speaks into what is said before it, and types into it', async () => {
    const room = await makeRoom(livekit);
    const startedAt = Date.now();
    agent = await startAgent(livekit, room);
    caller = await startCaller(livekit, room);
    await caller.listenOut(startedAt);
    const typedAt = await caller.type('Tell me a story, please!');
    await caller.waitFor('the story', ({ hearing }) => hearing === true, typedAt);
    await announce(room, 'listen-1', 'A colleague of ours is listening.');
    await agent.waitForEvent({ event: 'said', commandId: 'listen-1', active: true });
    const spokenAt = await caller.say('hold on');
    await waitFor(async () =>
      (await agent?.events())?.some(
        ({ event, active, at }) => event === 'agent_speaking' && active === true && at > spokenAt,
      ),
    );
    const typedIntoItAt = await caller.type('What is my name?');
    await done('listen-1');
    const said = (await agent.events()).filter(({ role, at }) => role === 'agent' && at >= spokenAt);
    expect(said.map(({ text }) => text)).toContain('A colleague of ours is listening.');
    await waitFor(
      async () =>
        (await agent?.events())?.some(
          ({ role, text, at }) => role === 'agent' && at > typedIntoItAt && /your name/.test(String(text)),
        ),
      { timeoutMs: 15_000 },
    );
  }, 60_000);
});

describe('a warm agent', () => {
  test('waits in silence and takes name and voice from the caller who comes', async () => {
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { AGENT_MODE: 'prewarm', USER_NAME: 'Nobody' });
    await agent.waitForEvent({ event: 'ready' });
    expect(await isAgentActive(livekit, room)).toBe(true);
    await sleep(500);
    expect((await agent.events()).map(({ event }) => event)).toEqual(['ready']);

    const joiningAt = Date.now();
    caller = await startCaller(livekit, room, { attributes: { userName: 'Lin', voiceId: 'rms' } });
    const joined = await caller.waitFor('joining', (event) => event.joined === true);
    const first = await caller.waitFor('the first sound', ({ hearing }) => hearing === true, joiningAt);
    expect(first.at - joined.at).toBeLessThan(2_500);
    expect(await nextReply(joiningAt)).toMatch(/^Hello, Lin\. /);
    // rms is a man's voice; the default one, a woman's, lies near 180 Hz.
    expect((await caller.listenOut(joiningAt)).pitchHz).toBeLessThan(140);
  });

  test('leaves within a second of SIGTERM, in the middle of a word, with all its children', async () => {
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { AGENT_MODE: 'prewarm' });
    const joiningAt = Date.now();
    caller = await startCaller(livekit, room);
    await caller.waitFor('the greeting', ({ hearing }) => hearing === true, joiningAt);
    const toldAt = Date.now();
    agent.process.signal('SIGTERM');
    expect(await agent.process.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - toldAt).toBeLessThan(1_000);
    expect(await isAgentActive(livekit, room)).toBe(false);
    const { pid } = agent.process;
    expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow();
  });

  test('goes when its room does', async () => {
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { AGENT_MODE: 'prewarm' });
    await agent.waitForEvent({ event: 'ready' });
    const deletedAt = Date.now();
    await livekit.rooms.deleteRoom(room);
    expect(await agent.process.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - deletedAt).toBeLessThan(1_000);
  });
});

test('an agent that is thrown out of its room fails: the call goes on, and needs another', async () => {
  const room = await makeRoom(livekit);
  agent = await startAgent(livekit, room, { AGENT_MODE: 'prewarm' });
  await agent.waitForEvent({ event: 'ready' });
  const [participant] = await livekit.rooms.listParticipants(room);
  await livekit.rooms.removeParticipant(room, participant?.identity ?? '');
  expect((await agent.process.exited).code).toBe(1);
  expect(agent.process.output()).toContain('lost the room: PARTICIPANT_REMOVED');
});

describe('an agent that cannot perform', () => {
  test('says which room it could not enter, and fails', async () => {
    const room = await makeRoom(livekit);
    agent = await startAgent(livekit, room, { LIVEKIT_TOKEN: 'not-a-token' });
    expect((await agent.process.exited).code).toBe(1);
    expect(agent.process.output()).toContain(`can't enter room ${room}`);
    expect(agent.process.output()).not.toContain('not-a-token');
    expect(await agent.events()).toMatchObject([{ event: 'error' }]);
  });

  test('names all settings that are missing', async () => {
    agent = await startAgent(livekit, '', { LIVEKIT_TOKEN: '', SESSION_ID: '' });
    expect((await agent.process.exited).code).toBe(78);
    expect(agent.process.output()).toMatch(
      /SESSION_ID is missing; LIVEKIT_TOKEN is missing; ROOM_NAME is missing/,
    );
  });
});
