import { describe, expect, test } from '@jest/globals';
import { openRedis } from './index.js';
import { useCalls, CALL, type Counted, countOf, counting, openPhone, say } from './testing/calls.js';
import { openConnected, redis, schema } from './testing/steps.js';

useCalls();

describe('a change', () => {
  test('of fifty at once is lost by none, and each sees what the others have done', async () => {
    await openPhone();
    const others = await Promise.all([openConnected(), openConnected(), openConnected()]);
    const all = [schema, ...others];
    const seen = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (all[i % all.length] ?? schema).calls.change(CALL, counting())),
    );
    expect(seen.map((result) => result.status)).toEqual(Array(50).fill('changed'));
    const counts = seen.map((result) =>
      result.status === 'changed' ? (result.call.state as Counted).count : 0,
    );
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await schema.calls.read(CALL)).toMatchObject({ version: 51, state: { count: 50 } });
    for (const other of others) await other.close();
  });

  test('by an event that was seen before does nothing, whoever asks and whatever the state is by now', async () => {
    await openPhone();
    const other = await openConnected();
    const event = { eventId: 'evt-1' };
    const both = await Promise.all([
      schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }), event),
      other.calls.change(CALL, counting({ actions: [say('checkin-1')] }), event),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['changed', 'duplicate']);
    await schema.calls.change(CALL, counting(), { eventId: 'evt-2' });
    expect(await schema.calls.change(CALL, counting(), event)).toMatchObject({ status: 'duplicate' });
    expect(await countOf()).toBe(2);
    await other.close();
  });

  test('that an event does not bring is remembered too: later, it does not bring one either', async () => {
    await openPhone();
    expect(await schema.calls.change(CALL, () => 'unchanged', { eventId: 'evt-1' })).toMatchObject({
      status: 'unchanged',
      call: { version: 1 },
    });
    expect(await schema.calls.change(CALL, counting(), { eventId: 'evt-1' })).toMatchObject({
      status: 'duplicate',
    });
    expect(await countOf()).toBe(0);
  });

  test('keeps no more of the events than their list takes, and that not for ever', async () => {
    await openPhone();
    for (let i = 0; i < 520; i += 1)
      await schema.calls.change(CALL, () => 'unchanged', { eventId: `evt-${i}` });
    expect(await redis.command('ZCARD', `call:${CALL}:events`)).toBe(500);
    expect(Number(await redis.command('PTTL', `call:${CALL}:events`))).toBeGreaterThan(0);
  });

  test('of a call that is over changes nothing and brings no key back', async () => {
    await openPhone();
    await schema.calls.close(CALL);
    expect(await schema.calls.change(CALL, counting(), { eventId: 'late' })).toEqual({ status: 'not_found' });
    expect(await redis.command('KEYS', '*call*')).toEqual([]);
    expect(await redis.command('KEYS', '*flag*')).toEqual([]);
  });

  test('while the data is being recovered is not known to have come too late', async () => {
    await redis.command('DEL', 'epoch');
    await expect(schema.calls.change(CALL, counting())).rejects.toThrow(/recovered/);
  });
});

describe('settings', () => {
  test('are merged, and what is due is worked out anew with them', async () => {
    await openPhone();
    await schema.calls.setSettings(
      CALL,
      { silence_timeout_normal: 10, checkin_message: 'Hello?' },
      () => 'unchanged',
    );
    const dueAt = Math.round(schema.clock.now()) + 5;
    const changed = await schema.calls.setSettings(CALL, { silence_timeout_normal: null }, (call) => {
      expect(call.settings).toEqual({ checkin_message: 'Hello?' });
      return counting({ dueAt })(call);
    });
    expect(changed).toMatchObject({ status: 'changed', call: { version: 3, dueAt } });
    expect(await schema.calls.read(CALL)).toMatchObject({ settings: { checkin_message: 'Hello?' }, dueAt });
    expect(await redis.command('ZSCORE', 'calls:due', CALL)).toBe(String(dueAt));
  });
});

describe('a wake', () => {
  test('comes with what is due sooner than anybody looks, and never else', async () => {
    await openPhone();
    const heard: unknown[] = [];
    await schema.bus.listen('calls:wake', (message) => heard.push(message));
    const dueAt = Math.round(schema.clock.now()) + 500;
    await schema.calls.change(CALL, counting({ dueAt: dueAt + 5000 }));
    await schema.calls.change(CALL, counting({ dueAt }));
    await schema.calls.change(CALL, counting({ dueAt: undefined, actions: [say('checkin-1')] }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toMatchObject([{ dueAt }, {}]);
  });
});

describe('the flag of an agent that watches by itself', () => {
  test('is set and cleared with the change, and goes after ten seconds', async () => {
    await openPhone();
    const flag = `flag:${CALL}:agent_done_speaking`;
    await schema.calls.change(CALL, counting({ actions: [{ kind: 'flag_set' }] }));
    expect(await redis.command('GET', flag)).toBe('true');
    const ttl = Number(await redis.command('PTTL', flag));
    expect(ttl).toBeGreaterThan(9000);
    expect(ttl).toBeLessThanOrEqual(10_000);
    await schema.calls.change(CALL, counting({ actions: [{ kind: 'flag_clear' }] }));
    expect(await redis.command('EXISTS', flag)).toBe(0);
  });

  test('is taken by one alone of those who ask', async () => {
    await schema.calls.setAgentDone(CALL);
    expect(Number(await redis.command('PTTL', `flag:${CALL}:agent_done_speaking`))).toBeGreaterThan(9000);
    const asked = await Promise.all(Array.from({ length: 5 }, () => schema.calls.takeAgentDone(CALL)));
    expect(asked.filter(Boolean)).toHaveLength(1);
    await schema.calls.setAgentDone(CALL);
    await schema.calls.clearAgentDone(CALL);
    expect(await schema.calls.takeAgentDone(CALL)).toBe(false);
  });
});

test('two deployments on one Redis have calls of the same id, and neither sees or hears of the other', async () => {
  const other = openRedis({ url: redis.url, clientName: 'other', keyPrefix: 'two:' });
  try {
    await other.connected(2000);
    await other.hosts.register('another-host', [{ name: 'default', voices: [], poolTarget: 0 }]);
    await openPhone(CALL, -1);
    await schema.calls.setAgentDone(CALL);
    expect(await other.calls.read(CALL)).toBeUndefined();
    expect((await other.calls.takeDue()).calls).toEqual([]);
    expect((await schema.calls.takeDue()).calls).toHaveLength(1);
    expect(await other.calls.takeAgentDone(CALL)).toBe(false);
    const woken: unknown[] = [];
    await other.bus.listen('calls:wake', (message) => woken.push(message));
    await schema.calls.change(CALL, counting({ dueAt: Math.round(schema.clock.now()) + 10 }));
    await other.calls.setAgentDone(CALL);
    expect(await redis.command('EXISTS', `two:flag:${CALL}:agent_done_speaking`)).toBe(1);
    expect(woken).toEqual([]);
    expect(await schema.calls.takeAgentDone(CALL)).toBe(true);
  } finally {
    await other.close();
  }
});
