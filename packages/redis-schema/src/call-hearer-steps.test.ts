import { waitFor } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import type { CallAction } from './index.js';
import { begin, CALL, counting, openLiveKit, say, startSession, useCalls } from './testing/calls.js';
import { HOST, heartbeat, schema } from './testing/steps.js';

useCalls();

describe('what ends a LiveKit call, or takes its agent,', () => {
  const goodbye: CallAction = { kind: 'say', commandId: 'goodbye-1', text: 'Bye.', purpose: 'goodbye' };
  const end: CallAction = { kind: 'end', commandId: 'end-1', reason: 'dead_air' };
  const restart: CallAction = { kind: 'restart_agent', commandId: 'restart-1' };

  test.each([
    ['its end', end],
    ['another agent', restart],
    ['the last words', goodbye],
  ])('%s: is decided by the host that hears it, which is asked to', async (_what, action) => {
    await heartbeat(HOST, { hears: true });
    const callId = await openLiveKit();
    const woken: unknown[] = [];
    await schema.bus.listen(`host:${HOST}:wake`, (message) => woken.push(message));
    const byApi = await schema.calls.change(callId, counting({ actions: [action] }));
    expect(byApi.status).toBe('unheard');
    expect(await schema.calls.read(callId)).toMatchObject({ version: 1, state: begin });
    await waitFor(() => woken.length > 0, { what: 'the wake' });
    expect(woken).toEqual([{ kind: 'hear', id: callId }]);

    const byHost = await schema.calls.change(callId, counting({ actions: [action] }), { hearer: HOST });
    expect(byHost.status).toBe('changed');
    const { outboxes } = await schema.calls.takeDue();
    expect(outboxes.map(({ entries }) => entries.map((it) => it.command))).toEqual([[action]]);
  });

  test('not a question: any api asks it at its time', async () => {
    await heartbeat(HOST, { hears: true });
    const callId = await openLiveKit();
    const result = await schema.calls.change(callId, counting({ actions: [say('checkin-1')] }));
    expect(result.status).toBe('changed');
  });

  test('does not wait for a host of a version that would never do it, though one that would was there before', async () => {
    await heartbeat(HOST, { hears: true });
    const callId = await openLiveKit();
    await heartbeat(HOST, { startedAt: 7 });
    expect((await schema.calls.change(callId, counting({ actions: [end] }))).status).toBe('changed');
  });

  test('waits for no host in a phone call: its carrier hears it', async () => {
    await heartbeat(HOST, { hears: true });
    const sessionId = await startSession();
    const wish = {
      callId: CALL,
      sessionId,
      medium: 'phone',
      state: begin,
      settings: {},
      dueAt: undefined,
    } as const;
    await schema.calls.open(wish);
    expect((await schema.calls.change(CALL, counting({ actions: [end] }))).status).toBe('changed');
  });
});
