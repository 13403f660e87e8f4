import { describe, expect, test } from '@jest/globals';
import {
  call,
  DAY_MS,
  end,
  entryOf,
  keep,
  keys,
  launch,
  OTHER_HOST,
  say,
  spoken,
  startCall,
  useHistory,
  warmAgent,
} from './testing/history.js';
import { redis, schema } from './testing/steps.js';
import { type LaunchRef, MAX_TURNS_KEPT, type TurnRecord } from './index.js';

useHistory();

const speak = (ref: LaunchRef, who: 'agent' | 'user', active: boolean) =>
  say(ref, `${who}_speaking`, { active });
const speakers = (turns: TurnRecord[]) => turns.map(({ who }) => who);

async function talk(): Promise<LaunchRef> {
  await startCall({ userId: 'ada' });
  const ref = await launch();
  await speak(ref, 'agent', true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await speak(ref, 'agent', true);
  await say(ref, 'transcript', spoken('my knee hurts'));
  await speak(ref, 'user', true);
  await speak(ref, 'agent', false);
  await speak(ref, 'agent', false);
  await speak(ref, 'user', false);
  await speak(ref, 'user', true);
  return ref;
}

describe('who spoke when', () => {
  test('is kept with the history for as long, without a word; who spoke at the end has stopped with it', async () => {
    const ref = await talk();
    await end(ref);
    const turns = await schema.history.turns(ref.sessionId);
    expect(speakers(turns)).toEqual(['agent', 'user', 'user']);
    const [first] = turns;
    expect(Number(first?.to) - Number(first?.from)).toBeGreaterThanOrEqual(20);
    // It began when it was told first, however often.
    expect(first?.from).toBe((await entryOf(ref.sessionId)).firstAudioAt);
    const times = turns.flatMap(({ from, to }) => [from, to]);
    const now = schema.clock.now();
    expect(times.every((at) => at > now - 10_000 && at <= now + 50)).toBe(true);
    const key = `turns:${ref.sessionId}`;
    expect(JSON.stringify(await redis.command('LRANGE', key, 0, -1))).not.toContain('knee');
    const [ttlMs, entryTtlMs] = await Promise.all(
      [key, `history:${ref.sessionId}`].map(async (it) => Number(await redis.command('PTTL', it))),
    );
    expect(Math.abs(Number(ttlMs) - Number(entryTtlMs))).toBeLessThan(1_000);
    expect(ttlMs).toBeGreaterThan(DAY_MS);
  });

  test('of either ends where another agent is started; only callers hear a warm one', async () => {
    const warm = await warmAgent();
    await speak(warm, 'agent', true);
    await startCall();
    await speak(warm, 'agent', true);
    await speak(warm, 'user', true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await schema.sessions.restart(warm, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const next = await launch(OTHER_HOST);
    await speak(next, 'agent', true);
    // Whether the caller still speaks is told by the new one.
    await speak(next, 'user', false);
    await end(next);
    const turns = await schema.history.turns(warm.sessionId);
    const before = turns.slice(0, 2);
    const after = turns.at(-1);
    expect(speakers(before).sort()).toEqual(['agent', 'user']);
    for (const { to } of before) expect(Number(after?.from) - to).toBeGreaterThanOrEqual(20);
    expect(turns).toHaveLength(3);
  });

  test('of a long call is what came last', async () => {
    await startCall();
    const ref = await launch();
    const events = Array.from({ length: 1_200 }, (_, i) => ({
      type: 'agent_speaking',
      data: { active: i % 2 === 0 },
    }));
    await schema.agents.append(ref, { lines: [], events });
    await speak(ref, 'user', true);
    await end(ref);
    const turns = await schema.history.turns(ref.sessionId);
    expect(turns).toHaveLength(MAX_TURNS_KEPT);
    expect(turns.at(-1)?.who).toBe('user');
  });

  test('lives as long as its call', async () => {
    const ref = await talk();
    await redis.command('PEXPIRE', `turns:${ref.sessionId}`, 1_000);
    await schema.sessions.renew(ref, 60_000, {});
    expect(Number(await redis.command('PTTL', `turns:${ref.sessionId}`))).toBeGreaterThan(50_000);
  });

  test('goes with an entry that makes room, where no history is kept, and where none is wanted any more', async () => {
    await keep({ historyMax: 1 });
    await end(await talk());
    expect(await keys('turns:*')).toHaveLength(1);
    const { length } = await keys('turns:*');
    await call();
    expect([length, await keys('turns:*')]).toEqual([1, []]);
    await keep({ historyMs: 0 });
    await end(await talk());
    expect(await keys('turns:*')).toEqual([]);
  });

  test('is forgotten with its user: of a call that is over, and of one that goes on', async () => {
    await end(await talk());
    await schema.history.forgetUser('ada');
    expect(await keys('turns:*')).toEqual([]);
    const live = await talk();
    await schema.history.forgetUser('ada');
    expect(await keys('turns:*')).toEqual([]);
    await speak(live, 'agent', true);
    await speak(live, 'agent', false);
    await end(live);
    expect(await keys('turns:*')).toEqual([]);
  });
});
