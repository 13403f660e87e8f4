import { describe, expect, test } from '@jest/globals';
import type { CallAction } from './index.js';
import { useCalls, CALL, counting, openPhone, say } from './testing/calls.js';
import { openConnected, redis, schema } from './testing/steps.js';

useCalls();

describe('commands', () => {
  test('are given again with the same id until they are confirmed, in the order in which they were made', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(
      CALL,
      counting({ actions: [{ kind: 'restart_agent', commandId: 'restart-1' }] }),
    );
    const ids = async () =>
      (await schema.calls.takeDue({ leaseMs: 0 })).outboxes.map(({ entries }) =>
        entries.map(({ command, attempts }) => `${command.commandId} ${attempts}`),
      );
    expect(await ids()).toEqual([['checkin-1 1', 'restart-1 1']]);
    expect(await ids()).toEqual([['checkin-1 2', 'restart-1 2']]);
    await schema.calls.confirm(CALL, 'checkin-1');
    await schema.calls.confirm(CALL, 'checkin-1');
    expect(await ids()).toEqual([['restart-1 3']]);
    await schema.calls.retryIn(CALL, 60_000);
    expect(await ids()).toEqual([]);
    await schema.calls.confirm(CALL, 'restart-1');
    expect(await redis.command('ZRANGE', 'calls:due', '0', '-1')).toEqual([CALL]);
  });

  test('of a change that is computed twice stand there once', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect((await schema.calls.takeDue()).outboxes).toMatchObject([{ entries: [{ attempts: 1 }] }]);
  });

  test('are confirmed by the event that proves them, in the same step', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1'), say('checkin-2')] }));
    await schema.calls.change(CALL, counting(), { confirms: 'checkin-1' });
    await schema.calls.change(CALL, () => 'unchanged', { confirms: 'checkin-2' });
    expect((await schema.calls.takeDue()).outboxes).toEqual([]);
  });

  test('that are void are taken back, and with a word only where somebody may have heard of them', async () => {
    await openPhone();
    const unsay: CallAction = { kind: 'unsay', commandId: 'checkin-1' };
    const sent = async () =>
      (await schema.calls.takeDue({ leaseMs: 0 })).outboxes.flatMap(({ entries }) =>
        entries.map(({ command }) => command.commandId),
      );
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    await schema.calls.change(CALL, counting({ actions: [unsay] }));
    expect(await sent()).toEqual([]);
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect(await sent()).toEqual(['checkin-1']);
    await schema.calls.change(CALL, counting({ actions: [unsay] }));
    expect(await sent()).toEqual(['unsay-checkin-1']);
    await schema.calls.confirm(CALL, 'unsay-checkin-1');
    await schema.calls.change(CALL, counting({ actions: [{ ...unsay, again: true }] }));
    expect(await sent()).toEqual(['unsay-again-checkin-1']);
  });

  test('to end a call do not stand behind what was to be said before', async () => {
    await openPhone();
    await schema.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    const end: CallAction = { kind: 'end', commandId: 'end-1', reason: 'dead_air' };
    await schema.calls.change(CALL, counting({ actions: [say('apology-1'), end] }));
    const [outbox] = (await schema.calls.takeDue()).outboxes;
    expect(outbox?.entries.map(({ command }) => command.commandId)).toEqual(['apology-1', 'end-1']);
  });

  test('are sent at once by whoever watches, others wait for its lease', async () => {
    await openPhone();
    const watching = await openConnected();
    const heard: string[] = [];
    watching.calls.watch({
      changed: (_, outbox) => heard.push(...outbox.map(({ command }) => command.commandId)),
      due: () => undefined,
    });
    const changed = await watching.calls.change(CALL, counting({ actions: [say('checkin-1')] }));
    expect(changed).toMatchObject({ outbox: [{ attempts: 1, command: { text: 'Still there?' } }] });
    expect(heard).toEqual(['checkin-1']);
    expect((await schema.calls.takeDue()).outboxes).toEqual([]);
    await watching.close();
  });
});
