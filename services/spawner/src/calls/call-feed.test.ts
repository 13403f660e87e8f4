import { setTimeout as sleep } from 'node:timers/promises';
import { callReducer } from '@greenroom/dead-air';
import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import { AgentRun, type RunOutput } from '../agent-run.js';
import type { Profile } from '../agents/profile.js';
import {
  AUTO,
  SILENCE_MS,
  SOON_MS,
  UNWATCHED,
  WATCHED,
  callOf,
  dueInMs,
  feed,
  hear,
  heardTooEarly,
  listenInRooms,
  listenedTo,
  nextLaunch,
  now,
  redis,
  schema,
  startRun,
  tool,
  useCallFeed,
  waitForCall,
} from '../testing/call-feed.js';

useCallFeed();

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
    listenInRooms();
    await feed.decide(longAgo);
    expect(await isEnding(longAgo)).toBe(true);
  });
});
