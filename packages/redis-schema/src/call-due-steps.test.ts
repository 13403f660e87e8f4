import { describe, expect, test } from '@jest/globals';
import { type CallRecord, openRedis } from './index.js';
import { useCalls, CALL, counting, openLiveKit, openPhone, say } from './testing/calls.js';
import { HOST, openConnected, redis, schema } from './testing/steps.js';

useCalls();

describe('what is due', () => {
  test('is taken by one of several, in one command for all calls', async () => {
    for (let i = 0; i < 5; i += 1) await openPhone(`${CALL}-${i}`, -100 * i);
    await openPhone(`${CALL}-later`, 700);
    const other = await openConnected();
    const [mine, theirs] = [await schema.calls.takeDue(), await other.calls.takeDue()];
    expect(mine.calls.map(({ callId }) => callId)).toEqual([4, 3, 2, 1, 0].map((i) => `${CALL}-${i}`));
    expect(theirs.calls).toEqual([]);
    const later = (await schema.calls.read(`${CALL}-later`))?.dueAt ?? 0;
    expect(mine.nextDueAt).toBe(Math.min(later, mine.now + 600));
    await other.close();
  });

  test('comes again 0.6 s after somebody took it and died, and not sooner', async () => {
    await openPhone(CALL, -1);
    const dying = await openConnected();
    const taken = await dying.calls.takeDue();
    expect(taken.calls).toHaveLength(1);
    await dying.close();
    const at = Number(await redis.command('ZSCORE', 'calls:due', CALL));
    expect(at - taken.now).toBe(600);
    expect((await schema.calls.takeDue()).calls).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, at - schema.clock.now() + 5));
    expect((await schema.calls.takeDue()).calls).toMatchObject([{ callId: CALL, version: 1 }]);
  });

  test('is done once, though its lease ran out while somebody was at it', async () => {
    await openPhone(CALL, -1);
    const [call] = (await schema.calls.takeDue({ leaseMs: 0 })).calls;
    const [again] = (await schema.calls.takeDue()).calls;
    const asNoted = (known: CallRecord) => (now: CallRecord) =>
      now.version === known.version ? counting({ actions: [say('checkin-1')] })(now) : 'unchanged';
    if (!call || !again) throw new Error('not taken');
    const both = await Promise.all(
      [call, again].map((known) => schema.calls.change(CALL, asNoted(known), { known })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['changed', 'unchanged']);
    expect((await schema.calls.takeDue()).outboxes).toMatchObject([{ entries: [{ attempts: 1 }] }]);
  });

  test('of a call that is no more leaves the set', async () => {
    await openPhone(CALL, -1);
    await redis.command('DEL', `call:${CALL}`);
    expect((await schema.calls.takeDue()).calls).toEqual([]);
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('is taken beside a call that is spoilt', async () => {
    const unreadable: string[] = [];
    const own = openRedis({
      url: redis.url,
      clientName: 'test',
      onUnreadable: (key) => unreadable.push(key),
    });
    await own.connected(2000);
    await openPhone('spoilt', -2);
    await schema.calls.change('spoilt', counting({ actions: [say('checkin-1')] }));
    await redis.command('HSET', 'call:spoilt', 'state', '{', 'outbox', '[');
    await openPhone(CALL, -1);
    expect((await own.calls.takeDue()).calls).toMatchObject([{ callId: CALL }]);
    expect(unreadable).toEqual(['call:spoilt']);
    await own.close();
  });

  test('waits no longer than that where the clock of Redis is set back', async () => {
    await openPhone(CALL, -1);
    const ahead = String(Date.now() + 3_600_000);
    await redis.command('HSET', 'calls:watch', 'lookedAt', ahead, 'graceUntil', ahead);
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
  });

  test('waits after an outage, since what was said meanwhile may still be on its way', async () => {
    await openPhone(CALL, -1);
    await schema.calls.change(CALL, counting({ dueAt: 1, actions: [say('checkin-1')] }));
    await redis.command('HSET', 'calls:watch', 'lookedAt', String(Date.now() - 3500));
    const first = await schema.calls.takeDue();
    expect(first).toMatchObject({ calls: [], outboxes: [], nextDueAt: first.now + 2000 });
    expect(await schema.calls.takeDue()).toMatchObject({ calls: [], nextDueAt: first.now + 2000 });
    await redis.command('HSET', 'calls:watch', 'graceUntil', String(Date.now() - 1));
    expect(await schema.calls.takeDue()).toMatchObject({ calls: [{ callId: CALL }], outboxes: [{}] });
  });

  test('the silence of a session whose host is not heard is unknown: it ends nothing, and is looked at again', async () => {
    const callId = await openLiveKit();
    await schema.calls.change(callId, counting({ dueAt: 1 }));
    const beat = (agoMs: number) =>
      redis.command('ZADD', 'hosts', String(Math.round(schema.clock.now()) - agoMs), HOST);
    await beat(16_000);
    expect((await schema.calls.takeDue({ leaseMs: 0 })).calls).toEqual([]);
    await beat(14_000);
    expect((await schema.calls.takeDue({ leaseMs: 0 })).calls).toMatchObject([{ callId }]);
  });

  test('is no slower to take where ten thousand other calls are quiet', async () => {
    const quiet = Array.from({ length: 10_000 }, (_, i) => [
      String(Date.now() + 60_000 + i),
      `quiet-${i}`,
    ]).flat();
    await redis.command('ZADD', 'calls:due', ...quiet);
    await openPhone(CALL, -1);
    await schema.calls.takeDue({ limit: 0 });
    await redis.command('CONFIG', 'RESETSTAT');
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
    const stats = String(await redis.command('INFO', 'commandstats'));
    const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, count]) => [
      name,
      Number(count),
    ]);
    const asked = Object.fromEntries(calls) as Record<string, number>;
    expect(asked.evalsha).toBe(1);
    expect(asked.hgetall).toBe(1);
    expect(asked.zrangebyscore).toBe(1);
  });
});
