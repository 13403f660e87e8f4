import { describe, expect, it } from '@jest/globals';
import type { CallEvent } from './events.js';
import { type CallUnderTest, ZERO } from './testing/call-under-test.js';
import { actionsOf, MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';
import { transition } from './transition.js';

/** Answered at 0, and led on to the agent. */
function ledOn(): CallUnderTest {
  const call = started({ apology_message: 'Sorry.' });
  call.tell(0, { kind: 'link_started' });
  return call;
}

describe('the leg that leads to the agent', () => {
  it('fails: the caller, who will never hear the agent, is apologised to, and the call ends', () => {
    const call = ledOn();
    call.tell(2 * SECOND, { kind: 'link_failed', cause: 'user_busy' });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [2, 'say', 'Sorry.'],
      [3, 'end', 'start_failed'],
    ]);
    expect(call.steps.map(({ step }) => step)).toContainEqual({
      name: 'transfer_failed',
      detail: { cause: 'user_busy' },
    });
  });

  it('fails while the caller speaks, who is let finish, and while work runs', () => {
    const call = ledOn();
    call.tell(1 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(2 * SECOND, { kind: 'link_failed', cause: 'timeout' });
    call.tell(4 * SECOND, { kind: 'work_started', id: 'lookup' });
    call.tell(5 * SECOND, { kind: 'caller_speaking', active: false });
    call.tell(9 * SECOND, { kind: 'work_ended', id: 'lookup' });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [9, 'say', 'Sorry.'],
      [10, 'end', 'start_failed'],
    ]);
  });

  it('is no failure when it ends after it was made, whichever is told first, nor when that is told again', () => {
    const events: CallEvent[] = [
      { kind: 'link_failed', cause: 'normal_clearing', at: ZERO + 3 * SECOND },
      { kind: 'link_made', at: ZERO + 2 * SECOND },
      { kind: 'link_failed', cause: 'normal_clearing', at: ZERO + 3 * SECOND },
    ];
    for (const order of [events, [...events].reverse()]) {
      const call = ledOn();
      for (const event of order) {
        const { state, dueAt } = transition(call.state, event, call.settings);
        call.state = state;
        call.dueAt = dueAt;
      }
      call.runTo(8 * SECOND);
      expect(call.timeline()).toEqual([[7, 'say', QUESTION]]);
    }
  });

  it('fails once, however often it is told', () => {
    const call = ledOn();
    for (const at of [2, 2.1, 2.2]) call.tell(at * SECOND, { kind: 'link_failed', cause: 'timeout' });
    call.runTo(MINUTE);
    expect(call.steps.filter(({ step }) => step.name === 'transfer_failed')).toHaveLength(1);
    expect(call.timeline()).toHaveLength(2);
  });

  it('is not made yet: the agent hears nobody, and is not replaced before it must be known whether it fails', () => {
    const call = ledOn();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(30 * SECOND, { kind: 'link_failed', cause: 'timeout' });
    call.runTo(MINUTE);
    expect(actionsOf(call, 'restart_agent')).toEqual([]);
    expect(call.timeline().at(-1)).toEqual([31, 'end', 'start_failed']);
  });

  it.each([
    ['from when it is made the agent has its usual time', 10, 30],
    ['where nobody tells of it, it is waited for until it must have been', undefined, 35],
  ])('%s', (_, madeAt, frozenAt) => {
    const call = ledOn();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    if (madeAt !== undefined) call.tell(madeAt * SECOND, { kind: 'link_made' });
    call.runTo(MINUTE);
    expect(call.timeline()[0]).toEqual([frozenAt, 'restart_agent', 'restart-1']);
  });
});
