import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_STARTING, begin, type CallEvent, type CallState, callReducer } from '@greenroom/dead-air';
import { openRedis, type RedisSchema, type SessionRecord } from '@greenroom/redis-schema';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AgentRun, type RunOutput } from '../agent-run.js';
import type { Profile } from '../agents/profile.js';
import { CallFeed } from './call-feed.js';

const HOST = 'host-a';
const SILENCE_MS = 7000;
/** Far enough from both to tell them apart on a busy machine. */
const SOON_MS = 60_000;

let redis: TestRedis;
let schema: RedisSchema;
let feed: CallFeed;
let leaving: AbortController;
let heardTooEarly: string[];
let listenedTo: string[];
let isInRoom: boolean;
let warnings: unknown[];
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
  await schema.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 0 }]);
  await schema.hosts.heartbeat(HOST, {
    capacity: 60,
    concurrency: 4,
    version: 'test',
    startedAt: 0,
    running: 0,
    draining: false,
  });
  leaving = new AbortController();
  heardTooEarly = [];
  listenedTo = [];
  isInRoom = false;
  warnings = [];
  feed = new CallFeed({
    redis: schema,
    host: HOST,
    leaving: leaving.signal,
    onSound: ({ id }) => heardTooEarly.push(id),
    listen: ({ id }) => listenedTo.push(id),
    isListenedTo: () => isInRoom,
    onError: (_run, error) => warnings.push(error),
  });
});
afterEach(async () => {
  leaving.abort();
  await schema.close();
  expect(warnings).toEqual([]);
});

const WATCHED = { deadAirSettings: {}, events: 'agent' } as Profile;
const UNWATCHED = { deadAirSettings: undefined, events: 'auto' } as Profile;
/** Nothing is said of how it is heard. */
const AUTO = { deadAirSettings: {}, events: 'auto' } as Profile;
const BY_ROOM = { deadAirSettings: {}, events: 'room' } as Profile;

/** A call whose agent serves, and whose caller is there unless said otherwise. */
async function startRun(session: Partial<SessionRecord> = {}, of = WATCHED): Promise<AgentRun> {
  const sessionId = `session_${String((serial += 1)).padStart(24, '0')}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    sessionTimeoutMs: 600_000,
  });
  const launch = `l-${serial}`;
  const claim = await schema.sessions.claim({
    host: HOST,
    launch,
    hostCapacity: 60,
    includePool: true,
  });
  if (claim.status !== 'claimed') throw new Error(`not claimed: ${claim.status}`);
  const ref = { sessionId, generation: claim.session.generation, launch };
  const there = { status: 'ready', callerJoinedAt: Date.now() } as const;
  const run = new AgentRun(ref, { ...claim.session, ...there, ...session }, of);
  run.phase = 'serving';
  return run;
}

function nextLaunch({ ref, session, profile: of }: AgentRun): AgentRun {
  const run = new AgentRun(
    { ...ref, generation: ref.generation + 1, launch: `${ref.launch}-next` },
    session,
    of,
  );
  run.phase = 'serving';
  return run;
}

let read = 0;

/** As a reading of its own, unless it is said where it began. */
function hear(run: AgentRun, heard: readonly CallEvent[], from = (read += 1)): Promise<void> {
  return feed.hear(run, heard, { source: 'events', from });
}

/** Whatever was told before this has arrived. */
async function callOf(run: AgentRun) {
  await hear(run, [{ kind: 'agent_changed', at: 1 }]);
  const call = await schema.calls.read(run.id);
  return call && { ...call, state: call.state as CallState };
}

/** As it is, once it is there. */
function waitForCall({ id }: AgentRun) {
  return waitFor(async () => {
    const call = await schema.calls.read(id);
    return call && { ...call, state: call.state as CallState };
  });
}

/** In how many ms time itself changes the call. */
async function dueInMs(run: AgentRun): Promise<number> {
  const call = await callOf(run);
  return (call?.dueAt ?? Number.NaN) - schema.clock.now();
}

const now = () => Math.round(schema.clock.now());
const tool = (active: boolean): CallEvent => ({
  kind: active ? 'work_started' : 'work_ended',
  id: 'tool:find',
  at: now(),
});

test('a call begins when both sides are there, and its silence counts from what was heard last', async () => {
  const run = await startRun({ callerJoinedAt: undefined });
  feed.look(run);
  expect(await callOf(run)).toBeUndefined();
  run.session = { ...run.session, callerJoinedAt: Date.now() };
  feed.look(run);
  expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
  expect(await dueInMs(run)).toBeGreaterThan(SILENCE_MS - 2000);

  await hear(run, [{ kind: 'agent_speaking', active: true, at: now() }]);
  expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
  await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
  expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
});

test('where nothing is said of dead air there is no call', async () => {
  const run = await startRun({}, UNWATCHED);
  feed.look(run);
  await hear(run, [{ kind: 'caller_said', text: 'hello', final: true, at: now() }]);
  expect(await schema.calls.read(run.id)).toBeUndefined();
});

test('a call whose profile says nothing of it any more is not watched by anybody', async () => {
  const run = await startRun();
  feed.look(run);
  expect(await callOf(run)).toBeDefined();
  const adopted = new AgentRun(run.ref, run.session, UNWATCHED);
  adopted.phase = 'serving';
  feed.look(adopted);
  feed.look(adopted);
  await waitFor(async () => (await schema.calls.read(run.id)) === undefined);
});

test('who is heard before anybody has seen the caller makes somebody look, and is known when the call begins', async () => {
  const run = await startRun({ callerJoinedAt: undefined });
  await hear(run, [{ kind: 'agent_speaking', active: true, at: now() }, tool(true)]);
  expect(heardTooEarly).toEqual([run.id]);
  run.session = { ...run.session, callerJoinedAt: Date.now() };
  feed.look(run);
  expect((await callOf(run))?.state).toMatchObject({ agent: { active: true } });
  await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
  expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
  await hear(run, [tool(false)]);
  expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
});

test('an agent that reports nothing may be talking all the time: its silence does not count before its first word', async () => {
  const run = await startRun();
  feed.look(run);
  await sleep(50);
  expect(await schema.calls.read(run.id)).toBeUndefined();
  await hear(run, [{ kind: 'caller_said', text: 'hello', final: true, at: now() }]);
  const call = await schema.calls.read(run.id);
  expect(call?.state).toMatchObject({ startedAt: expect.any(Number), words: { at: expect.any(Number) } });
  expect(call?.state).not.toMatchObject({ startedAt: 0 });
  expect(call?.state).not.toMatchObject({ words: { at: 0 } });
});

test('where nothing is said of how, a call is heard by what its agent reports, and in its room from when it reports nothing', async () => {
  const [mute, telling] = [await startRun({}, AUTO), await startRun({}, AUTO)];
  feed.look(mute);
  feed.look(telling);
  await hear(telling, [{ kind: 'agent_speaking', active: true, at: now() }]);
  // Nobody hears the one, and the other was told of.
  expect((await waitForCall(mute)).state.work.open).toHaveProperty('room_unheard');
  expect((await waitForCall(telling)).state.work.open).toEqual({});
  await sleep(2000);
  await hear(telling, [{ kind: 'agent_speaking', active: false, at: now() }]);
  const { dueAt } = await waitForCall(telling);
  expect((dueAt ?? Number.NaN) - now()).toBeLessThan(SILENCE_MS + 1);
  expect(listenedTo).toEqual([]);
  await waitFor(() => listenedTo.length > 0, { timeoutMs: 2000, what: 'somebody to listen' });
  expect(listenedTo).toEqual([mute.id]);
  await waitFor(() => listenedTo.length > 1, { timeoutMs: 4000, what: 'somebody to listen to the other' });
  expect(listenedTo).toEqual([mute.id, telling.id]);
  expect((await waitForCall(mute)).dueAt! - now()).toBeGreaterThan(SOON_MS);

  // That nobody speaks begins the silence of the one, and is no news of the other.
  feed.overhear(mute, { agent: false, caller: false });
  feed.overhear(telling, { agent: false, caller: false });
  await waitFor(async () => (await waitForCall(mute)).dueAt! - now() < SILENCE_MS + 1);
  expect((await waitForCall(mute)).dueAt! - now()).toBeGreaterThan(SILENCE_MS - 1000);
  expect((await waitForCall(telling)).dueAt).toBe(dueAt);
  const muteDueAt = (await waitForCall(mute)).dueAt;
  feed.overhear(mute, { agent: false, caller: false });
  await sleep(100);
  expect((await waitForCall(mute)).dueAt).toBe(muteDueAt);
  feed.overhear(telling, { agent: false, caller: true });
  await waitFor(async () => (await waitForCall(telling)).dueAt! - now() > SOON_MS);
  feed.overhear(telling, { agent: false, caller: false });
  await waitFor(async () => (await waitForCall(telling)).dueAt! - now() < SOON_MS);

  // Who listens has gone: of the one nothing is known again.
  feed.loseRoom(mute);
  feed.loseRoom(telling);
  await waitFor(async () => (await waitForCall(mute)).dueAt! - now() > SOON_MS);
  expect((await waitForCall(telling)).dueAt! - now()).toBeLessThan(SOON_MS);
}, 20_000);

test('where a profile says that its agents report, nobody listens; where it says the room, at once', async () => {
  const byRoom = await startRun({}, BY_ROOM);
  const telling = await startRun();
  for (const run of [byRoom, telling]) feed.look(run);
  await hear(telling, [{ kind: 'agent_speaking', active: false, at: now() }]);
  await waitFor(() => listenedTo.length > 0);
  await sleep(3300);
  expect(listenedTo).toEqual([byRoom.id]);
}, 10_000);

describe('the agent of a phone call, whom the carrier does not hear', () => {
  const DUE_MS = 1000 * 60;

  /** Answered by an api, which says how it is led to its agent. */
  async function startPhone(link: string | undefined, of: Profile): Promise<AgentRun> {
    const callId = `v3:link-${(serial += 1)}`;
    const run = await startRun({ callId }, of);
    const facts = link === undefined ? {} : { link };
    const state = begin(now(), 'phone');
    const wish = { callId, sessionId: run.id, medium: 'phone', state, settings: {}, facts } as const;
    await schema.calls.open({ ...wish, dueAt: undefined });
    await schema.calls.change(callId, callReducer({ kind: 'call_started', at: now() }));
    feed.look(run);
    await waitFor(async () => (await schema.calls.read(callId))?.facts['unheard'] !== undefined);
    return run;
  }
  const stateOf = async ({ session }: AgentRun) =>
    (await schema.calls.read(session.callId ?? ''))!.state as CallState;
  const isUnheard = async (run: AgentRun) => 'room_unheard' in (await stateOf(run)).work.open;
  const isDueSoon = async ({ session }: AgentRun) =>
    (await schema.calls.read(session.callId ?? ''))!.dueAt! - now() < DUE_MS;

  test('is listened to in the room by SIP, if it reports nothing: until then neither its silence nor its answer counts', async () => {
    const run = await startPhone('sip', UNWATCHED);
    expect(await isUnheard(run)).toBe(true);
    await schema.calls.change(
      run.session.callId!,
      callReducer({ kind: 'caller_said', text: 'hello', final: true, at: now() }),
    );
    expect(await isDueSoon(run)).toBe(false);
    await waitFor(() => listenedTo.length > 0, { timeoutMs: 5000, what: 'somebody to listen' });
    feed.overhear(run, { agent: false, caller: false });
    await waitFor(async () => !(await isUnheard(run)));
    expect(await isDueSoon(run)).toBe(true);
    feed.loseRoom(run);
    await waitFor(() => isUnheard(run));
  }, 10_000);

  test.each([
    ['stream', UNWATCHED],
    ['sip', { ...UNWATCHED, events: 'agent' as const }],
  ])(
    'by %s is heard from its first report on, where nobody may listen',
    async (link, of) => {
      const run = await startPhone(link, of);
      await sleep(3300);
      expect(listenedTo).toEqual([]);
      expect(await isDueSoon(run)).toBe(false);
      // Whoever takes the call over does not know who began that.
      const adopted = new AgentRun(run.ref, run.session, run.profile);
      adopted.phase = 'serving';
      feed.look(adopted);
      await hear(adopted, [{ kind: 'agent_speaking', active: false, at: now() }]);
      expect(await isUnheard(adopted)).toBe(false);
      expect(await isDueSoon(adopted)).toBe(true);
    },
    10_000,
  );

  test('that is taken over is not forgotten to have been heard, and another agent is heard anew', async () => {
    const run = await startPhone('sip', UNWATCHED);
    await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
    expect(await isUnheard(run)).toBe(false);
    const adopted = new AgentRun(run.ref, run.session, run.profile);
    adopted.phase = 'serving';
    feed.look(adopted);
    // It has reported nothing to this one.
    await sleep(300);
    expect(await isUnheard(adopted)).toBe(false);
    const next = nextLaunch(run);
    feed.agentServes(next);
    await waitFor(() => isUnheard(next));
  });

  test('has missed no word where its room tells of a sound: the carrier tells words', async () => {
    const run = await startPhone('sip', UNWATCHED);
    await schema.calls.change(
      run.session.callId!,
      callReducer({ kind: 'caller_said', text: 'hold on', final: true, at: now() }),
    );
    feed.overhear(run, { agent: false, caller: true });
    await sleep(1100);
    feed.overhear(run, { agent: false, caller: false });
    await sleep(3300);
    expect((await stateOf(run)).words).toMatchObject({ holdOnAt: expect.any(Number), otherAt: 0 });
  }, 10_000);

  test('counts as before where the api does not say how it is led to it', async () => {
    const run = await startPhone(undefined, UNWATCHED);
    expect(await isUnheard(run)).toBe(false);
    expect(await isDueSoon(run)).toBe(true);
  });
});

describe('a call that is to end for its silence', () => {
  const AT_ONCE = { silence_timeout_normal: 0.5, max_checkins_before_disconnect: 0 };
  let isRead: boolean;

  async function startSilence(of: Profile): Promise<AgentRun> {
    isRead = true;
    const run = await startRun({}, { ...of, deadAirSettings: AT_ONCE });
    run.output = { catchUp: () => Promise.resolve(isRead) } as RunOutput;
    feed.look(run);
    await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
    await sleep(600);
    return run;
  }
  const isEnding = async (run: AgentRun) => (await waitForCall(run)).state.end !== null;

  test('ends only when all that was said until now has been told', async () => {
    const run = await startSilence(WATCHED);
    isRead = false;
    await feed.decide(run);
    expect(await isEnding(run)).toBe(false);
    isRead = true;
    await feed.decide(run);
    expect(await isEnding(run)).toBe(true);
  });

  test('does not end where somebody has spoken meanwhile, though nobody was told yet', async () => {
    const run = await startSilence(WATCHED);
    run.output = {
      catchUp: () => hear(run, [{ kind: 'caller_speaking', active: true, at: now() }]).then(() => true),
    } as unknown as RunOutput;
    await feed.decide(run);
    expect(await isEnding(run)).toBe(false);
  });

  test('ends on the word of an agent that reports, or of somebody in the room, and of nobody else', async () => {
    const run = await startSilence(AUTO);
    const longAgo = await startRun({}, { ...AUTO, deadAirSettings: AT_ONCE });
    longAgo.output = run.output;
    feed.look(longAgo);
    await hear(longAgo, [{ kind: 'agent_speaking', active: false, at: now() - 15_000 }]);
    await sleep(600);
    await feed.decide(run);
    expect(await isEnding(run)).toBe(true);
    await feed.decide(longAgo);
    expect(await isEnding(longAgo)).toBe(false);
    expect(listenedTo).toEqual([longAgo.id]);
    isInRoom = true;
    await feed.decide(longAgo);
    expect(await isEnding(longAgo)).toBe(true);
  });
});

test('an adopted agent reports, if its call has begun: that its caller is away is told before it says anything', async () => {
  const run = await startRun();
  feed.look(run);
  await callOf(run);
  const adopted = new AgentRun(run.ref, { ...run.session, callerLeftAt: Date.now() }, run.profile);
  adopted.phase = 'serving';
  feed.look(adopted);
  await waitFor(async () => ((await schema.calls.read(run.id))?.dueAt ?? 0) - schema.clock.now() > SOON_MS);
});

test('what was told before its spawner died, and did not count as read yet, changes nothing when it is read again', async () => {
  const run = await startRun();
  feed.look(run);
  const word = (at: number): CallEvent => ({ kind: 'caller_said', text: 'hello', final: true, at });
  await hear(run, [word(now() - 5000), tool(true)], 70);
  const before = await schema.calls.read(run.id);
  const adopted = new AgentRun(run.ref, run.session, run.profile);
  adopted.phase = 'serving';
  feed.look(adopted);
  // It does not say when it was; and there is more by now.
  await hear(adopted, [word(now()), tool(true), tool(false)], 70);
  const after = await schema.calls.read(run.id);
  const [known, told] = [before?.state, after?.state] as [CallState, CallState];
  expect(told.words).toEqual(known.words);
  expect(told.work).toEqual({
    ...known.work,
    open: {},
    ended: { 'tool:find': expect.any(Number) },
    endedAt: expect.any(Number),
  });
  // Another reading is another, and so is that of another file, or of another launch.
  const next = nextLaunch(run);
  feed.look(next);
  for (const tell of [
    () => hear(adopted, [word(now())], 71),
    () => feed.hear(adopted, [word(now())], { source: 'log', from: 71 }),
    () => hear(next, [word(now())], 71),
  ]) {
    await sleep(3);
    const { words } = (await waitForCall(run)).state;
    await tell();
    expect((await waitForCall(run)).state.words.at).toBeGreaterThan(words.at);
  }
});

describe('a caller who is heard in the room while words are told of otherwise', () => {
  /** Its agent has told a word and answered it, and what it tells of the caller's speech. */
  async function startHeard(tells: CallEvent[]): Promise<AgentRun> {
    const run = await startRun({}, AUTO);
    feed.look(run);
    await hear(run, [
      { kind: 'caller_said', text: 'hello', final: true, at: now() - 9000 },
      { kind: 'agent_speaking', active: true, at: now() - 8000 },
      { kind: 'agent_speaking', active: false, at: now() - 7000 },
      ...tells,
    ]);
    return run;
  }
  const speaks = (active: boolean): CallEvent => ({ kind: 'caller_speaking', active, at: now() });
  const wordsAt = async (run: AgentRun) => (await waitForCall(run)).state.words.at;

  test('and by nobody else has said something, and waits for an answer', async () => {
    const toldBefore = () => [speaks(true), speaks(false)].map((it) => ({ ...it, at: it.at - 9500 }));
    const frozen = await startHeard(toldBefore());
    const alive = await startHeard(toldBefore());
    const tellsWordsOnly = await startHeard([]);
    const noise = await startHeard(toldBefore());
    const next = nextLaunch(await startHeard([]));
    feed.look(next);
    const all = [frozen, alive, tellsWordsOnly, noise, next];
    const before = await Promise.all(all.map(wordsAt));
    for (const run of all) feed.overhear(run, { agent: false, caller: true });
    await sleep(500);
    feed.overhear(noise, { agent: false, caller: false });
    await sleep(700);
    for (const run of all) feed.overhear(run, { agent: false, caller: false });
    const endedAt = now();
    await hear(alive, [speaks(false)]);
    await waitFor(
      async () => (await wordsAt(frozen)) > endedAt - 50 && (await wordsAt(next)) > endedAt - 50,
      {
        timeoutMs: 4500,
        what: 'those whose agents have heard nothing to wait for them',
      },
    );
    expect(await wordsAt(frozen)).toBeLessThan(endedAt + 50);
    const [, ...others] = before;
    expect(await Promise.all([alive, tellsWordsOnly, noise].map(wordsAt))).toEqual(others.slice(0, 3));
    // 20 s after it was said, not after it was understood that nobody else would tell.
    expect((await waitForCall(frozen)).dueAt! - endedAt).toBeLessThan(20_050);
  }, 20_000);
});

test('a call that Redis has lost, and that is listened to, is told again what is heard', async () => {
  const run = await startRun({}, AUTO);
  isInRoom = true;
  feed.look(run);
  await waitFor(() => listenedTo.length === 1, { timeoutMs: 1500, what: 'to be followed at once' });
  feed.overhear(run, { agent: false, caller: false });
  await waitFor(async () => (await waitForCall(run)).dueAt! - now() < SILENCE_MS + 1);
  await redis.command('DEL', `call:${run.id}`);
  feed.lookAgain(run);
  await waitFor(() => listenedTo.length === 2, { timeoutMs: 1500, what: 'to be followed again' });
});

test('a tool may run twice under one name, and each time its end is waited for', async () => {
  const run = await startRun();
  feed.look(run);
  for (let i = 0; i < 2; i += 1) {
    await hear(run, [tool(true)]);
    expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
    await hear(run, [tool(false)]);
    expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
    await sleep(2);
  }
});

test('while the caller is away nobody is asked; the count begins anew with the return', async () => {
  const run = await startRun();
  feed.look(run);
  for (let i = 0; i < 2; i += 1) {
    run.session = { ...run.session, callerLeftAt: Date.now() };
    feed.look(run);
    expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
    run.session = { ...run.session, callerLeftAt: undefined };
    feed.look(run);
    expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
    expect(await dueInMs(run)).toBeGreaterThan(SILENCE_MS - 2000);
  }
});

test('a caller who left in the middle of a word is silent when they are back', async () => {
  const run = await startRun();
  feed.look(run);
  await hear(run, [{ kind: 'caller_speaking', active: true, at: now() }]);
  run.session = { ...run.session, callerLeftAt: Date.now() };
  feed.look(run);
  run.session = { ...run.session, callerLeftAt: undefined };
  feed.look(run);
  expect(await dueInMs(run)).toBeLessThan(SILENCE_MS + 1);
});

test('what the agent was told to say is confirmed by its taking it up, once it is told', async () => {
  const run = await startRun();
  feed.look(run);
  await callOf(run);
  await schema.calls.change(run.id, callReducer({ kind: 'time', at: now() + SILENCE_MS + 1000 }));
  const outbox = async () => redis.command('HGET', `call:${run.id}`, 'outbox');
  expect(await outbox()).toContain('checkin-1');
  const said = { id: 'checkin-1', commandId: 'checkin-1' };
  await hear(run, [{ kind: 'playback_started', ...said, at: now() }]);
  expect(await outbox()).toBeNull();
  const call = await callOf(run);
  expect(call?.state.saying).toMatchObject({ commandId: 'checkin-1', isHeard: true });
});

test('an agent that is being replaced leaves nothing behind, and nobody is asked before the next is there', async () => {
  const run = await startRun();
  feed.look(run);
  await hear(run, [{ kind: 'agent_speaking', active: true, at: now() }, tool(true)]);
  await sleep(5);
  const next = nextLaunch(run);
  next.phase = 'starting';
  feed.agentStarts(next);
  expect(await dueInMs(next)).toBeGreaterThan(SOON_MS);
  expect((await callOf(next))?.state.agentSince).toBeGreaterThan(0);
  await sleep(5);
  next.phase = 'serving';
  feed.agentServes(next);
  expect(await dueInMs(next)).toBeLessThan(SILENCE_MS + 1);
});

test('a call that is taken over is listened to at once, and counts on, unless its agent is known to report', async () => {
  const auto = await startRun({}, AUTO);
  const telling = await startRun();
  for (const run of [auto, telling]) {
    feed.look(run);
    await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
  }
  const { dueAt } = await waitForCall(auto);
  const next = [auto, telling].map((run) => {
    const adopted = new AgentRun(run.ref, run.session, run.profile);
    adopted.phase = 'serving';
    feed.agentServes(adopted);
    return adopted;
  });
  await waitFor(() => listenedTo.length > 0, { timeoutMs: 1000, what: 'somebody to listen' });
  expect(listenedTo).toEqual([next[0]?.id]);
  expect((await waitForCall(auto)).dueAt).toBe(dueAt);
});

test('a spawner that takes over a call lets it stand as it is', async () => {
  const run = await startRun();
  feed.look(run);
  await hear(run, [tool(true)]);
  const before = await callOf(run);
  const adopted = new AgentRun(run.ref, run.session, run.profile);
  adopted.phase = 'serving';
  feed.agentServes(adopted);
  expect((await callOf(adopted))?.state).toEqual(before?.state);
});

test('a call that Redis has lost is opened again, with what goes on in it', async () => {
  const run = await startRun();
  feed.look(run);
  await hear(run, [tool(true)]);
  await redis.command('DEL', `call:${run.id}`);
  feed.lookAgain(run);
  expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
  await redis.command('DEL', `call:${run.id}`);
  // Nobody has noticed, but somebody is heard.
  await hear(run, [{ kind: 'caller_said', text: 'hello', final: true, at: now() }]);
  expect(await dueInMs(run)).toBeGreaterThan(SOON_MS);
});

test('a phone call that Redis has lost is watched again, in the life in which its session has been published', async () => {
  const callId = 'v3:a-phone';
  const run = await startRun({ callId });
  const wish = {
    callId,
    sessionId: run.id,
    medium: 'phone',
    state: begin(now(), 'phone'),
    settings: {},
  } as const;
  await schema.calls.open({ ...wish, dueAt: undefined });
  feed.look(run);
  await hear(run, [{ kind: 'agent_speaking', active: true, at: now() }]);
  expect((await schema.calls.read(callId))?.dueAt).toBeUndefined();

  await redis.command('DEL', `call:${callId}`, 'calls:due');
  feed.lookAgain(run);
  await hear(run, [{ kind: 'agent_speaking', active: false, at: now() + 1 }]);
  const found = await schema.calls.findBySession(run.id);
  expect(found).toMatchObject({ callId, medium: 'phone', facts: { room: run.session.roomName } });
  expect((found?.dueAt ?? Number.NaN) - now()).toBeLessThan(SILENCE_MS + 1);
});

test('a phone call is told what its agent had begun before its host heard of the telephone', async () => {
  const callId = 'v3:another-phone';
  const run = await startRun({ callerJoinedAt: undefined }, UNWATCHED);
  const state = begin(now(), 'phone');
  const { id: sessionId } = run;
  await schema.calls.open({ callId, sessionId, medium: 'phone', state, settings: {}, dueAt: undefined });
  await hear(run, [{ kind: 'agent_speaking', active: true, at: now() }]);
  run.session = { ...run.session, callId };
  feed.look(run);
  await hear(run, [{ kind: 'agent_changed', at: 1 }]);
  expect((await schema.calls.read(callId))?.state).toMatchObject({ agent: { active: true } });
});

test('the silence of a phone call counts from when its first agent is there', async () => {
  const callId = 'v3:a-cold-phone';
  const run = await startRun({ callId });
  const wish = {
    callId,
    sessionId: run.id,
    medium: 'phone',
    state: begin(now(), 'phone'),
    settings: {},
  } as const;
  await schema.calls.open({ ...wish, dueAt: undefined });
  const at = now() - 5000;
  const starting = callReducer(
    { kind: 'work_started', id: AGENT_STARTING, at },
    { kind: 'call_started', at },
  );
  await schema.calls.change(callId, starting);
  expect((await schema.calls.read(callId))!.dueAt! - now()).toBeGreaterThan(SOON_MS);

  feed.agentServes(run);
  await hear(run, [{ kind: 'work_ended', id: 'tool:none', at: now() }]);
  const dueInMs = (await schema.calls.read(callId))!.dueAt! - now();
  expect(dueInMs).toBeGreaterThan(SILENCE_MS - 2000);
  expect(dueInMs).toBeLessThan(SILENCE_MS + 1);
});
