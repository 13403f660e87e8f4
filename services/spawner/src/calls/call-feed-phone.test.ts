import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_STARTING, begin, type CallState, callReducer } from '@greenroom/dead-air';
import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import type { AgentRun } from '../agent-run.js';
import type { Profile } from '../agents/profile.js';
import {
  SILENCE_MS,
  SOON_MS,
  UNWATCHED,
  adopt,
  feed,
  hear,
  listenedTo,
  nextLaunch,
  now,
  redis,
  schema,
  startRun,
  useCallFeed,
} from '../testing/call-feed.js';

/** The calls of a telephone, which the apis open, and which its carrier hears. */
useCallFeed();

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

describe('the agent of a phone call, whom the carrier does not hear', () => {
  const DUE_MS = 1000 * 60;
  let phones = 0;

  /** Answered by an api, which says how it is led to its agent. */
  async function startPhone(link: string | undefined, of: Profile): Promise<AgentRun> {
    const callId = `v3:link-${(phones += 1)}`;
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
      const adopted = adopt(run);
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
    const adopted = adopt(run);
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
