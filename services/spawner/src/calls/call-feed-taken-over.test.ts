import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEvent, CallState } from '@greenroom/dead-air';
import { waitFor } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';
import { AgentRun } from '../agent-run.js';
import {
  AUTO,
  SOON_MS,
  adopt,
  callOf,
  dueInMs,
  feed,
  hear,
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

/** Calls that were there before their spawner, and calls that Redis has lost. */
useCallFeed();

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
  const adopted = adopt(run);
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

test('a call that is taken over is listened to at once, and counts on, unless its agent is known to report', async () => {
  const auto = await startRun({}, AUTO);
  const telling = await startRun();
  for (const run of [auto, telling]) {
    feed.look(run);
    await hear(run, [{ kind: 'agent_speaking', active: false, at: now() }]);
  }
  const { dueAt } = await waitForCall(auto);
  const next = [auto, telling].map((run) => {
    const adopted = adopt(run);
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
  const adopted = adopt(run);
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
