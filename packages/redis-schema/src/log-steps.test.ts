import { describe, expect, test } from '@jest/globals';
import type { LaunchRef, LogLine } from './index.js';
import { addWarmHost, launchNext, startArgs } from './testing/sessions.js';
import { redis, schema, useRedis } from './testing/steps.js';

useRedis();

const THEN = Date.parse('2026-11-22T10:00:00.000Z');

async function startCall(): Promise<LaunchRef> {
  await addWarmHost();
  await schema.sessions.start(startArgs());
  return (await launchNext()).ref;
}

const print = (ref: LaunchRef, at: number | undefined, ...lines: string[]) =>
  schema.agents.append(ref, { lines, events: [], at });
const recent = ({ sessionId }: LaunchRef, count = 200) => schema.agents.recentLines(sessionId, count);
const line = (text: string, at: number | undefined): LogLine => ({ text, at });

describe('the time of a line', () => {
  test('is the one that its batch came with, for those who ask and those who follow', async () => {
    const ref = await startCall();
    const heard: LogLine[] = [];
    await schema.agents.followLines(ref.sessionId, (it) => void heard.push(it));
    await print(ref, THEN, 'one', 'two');
    await schema.agents.append(ref, { lines: [], events: [{ type: 'health', data: {} }], source: 'events' });
    await print(ref, THEN + 5, 'three');
    await schema.ping();
    const all = [line('one', THEN), line('two', THEN), line('three', THEN + 5)];
    expect(await recent(ref)).toEqual(all);
    expect(heard).toEqual(all);
    expect(await recent(ref, 2)).toEqual(all.slice(-2));
    expect(await redis.command('LRANGE', `agent:${ref.sessionId}:logs`, 0, -1)).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('stays the first one when a batch comes again, and is never in the future', async () => {
    const ref = await startCall();
    for (const at of [THEN, THEN + 60_000])
      await schema.agents.append(ref, { id: 'lost', lines: ['once'], events: [], at });
    await print(ref, Date.now() + 3_600_000, 'ahead');
    await print(ref, undefined, 'now');
    const [once, ahead, now] = await recent(ref);
    expect(once).toEqual(line('once', THEN));
    for (const it of [ahead, now]) expect(Math.abs(Number(it?.at) - Date.now())).toBeLessThan(10_000);
  });

  test('goes with the line when there are too many, and with the session', async () => {
    const ref = await startCall();
    await print(ref, THEN, ...Array.from({ length: 150 }, (_, i) => `early ${i}`));
    await print(ref, THEN + 1, ...Array.from({ length: 150 }, (_, i) => `late ${i}`));
    const lines = await recent(ref);
    expect(lines).toHaveLength(200);
    expect(lines[0]).toEqual(line('early 100', THEN));
    expect(lines[50]).toEqual(line('late 0', THEN + 1));
    const times = `agent:${ref.sessionId}:log-times`;
    expect(await redis.command('LLEN', times)).toBe(200);
    const ttlMs = Number(await redis.command('PTTL', `agent:${ref.sessionId}:logs`));
    expect(Number(await redis.command('PTTL', times))).toBeGreaterThan(ttlMs - 1_000);
    await schema.sessions.requestEnd({ sessionId: ref.sessionId, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(ref.sessionId, ref.generation);
    expect(await redis.command('EXISTS', times)).toBe(0);
  });

  test('is unknown for what a spawner of an older version has added, and for what was there before it did', async () => {
    const ref = await startCall();
    /** As it did: it knows neither the times nor the mark. */
    const printAsOlder = async (text: string) => {
      await redis.command('RPUSH', `agent:${ref.sessionId}:logs`, text);
      await redis.command('HSET', `session:${ref.sessionId}`, 'logBatch', `${text} 0`);
    };
    await printAsOlder('oldest');
    expect(await recent(ref)).toEqual([line('oldest', undefined)]);
    await print(ref, THEN, 'one');
    expect(await recent(ref)).toEqual([line('oldest', undefined), line('one', THEN)]);
    await printAsOlder('two');
    await schema.agents.append(ref, { lines: [], events: [], offset: 9 });
    expect((await recent(ref)).map(({ at }) => at)).toEqual([undefined, undefined, undefined]);
    await print(ref, THEN + 9, 'three');
    expect((await recent(ref)).map(({ at }) => at)).toEqual([undefined, undefined, undefined, THEN + 9]);
  });
});
