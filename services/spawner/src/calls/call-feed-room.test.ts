import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEvent } from '@greenroom/dead-air';
import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../agent-run.js';
import {
  AUTO,
  BY_ROOM,
  SILENCE_MS,
  SOON_MS,
  feed,
  hear,
  listenInRooms,
  listenedTo,
  nextLaunch,
  now,
  redis,
  startRun,
  useCallFeed,
  waitForCall,
} from '../testing/call-feed.js';

/** What somebody hears who listens in the room. */
useCallFeed();

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
  listenInRooms();
  feed.look(run);
  await waitFor(() => listenedTo.length === 1, { timeoutMs: 1500, what: 'to be followed at once' });
  feed.overhear(run, { agent: false, caller: false });
  await waitFor(async () => (await waitForCall(run)).dueAt! - now() < SILENCE_MS + 1);
  await redis.command('DEL', `call:${run.id}`);
  feed.lookAgain(run);
  await waitFor(() => listenedTo.length === 2, { timeoutMs: 1500, what: 'to be followed again' });
});
