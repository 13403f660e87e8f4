import { describe, expect, it } from '@jest/globals';
import { CallUnderTest } from './testing/call-under-test.js';
import { MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

describe('a frozen agent', () => {
  it('is replaced when nothing came back for 20 s; it is asked nothing meanwhile', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.runTo(25 * SECOND);
    expect(call.timeline()).toEqual([[21, 'restart_agent', 'restart-1']]);
  });

  it('is apologised for, and the call ends, by setting', () => {
    const call = started({ frozen_agent_action: 'end', apology_message: 'Sorry.' });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [21, 'say', 'Sorry.'],
      [22, 'end', 'agent_frozen'],
    ]);
  });

  it('that is put off by the caller speaking on, and by work that runs', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(2 * SECOND, { kind: 'work_started', id: 'lookup' });
    call.tell(30 * SECOND, { kind: 'work_ended', id: 'lookup' });
    call.tell(40 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(42 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(70 * SECOND);
    expect(call.timeline()).toEqual([[62, 'restart_agent', 'restart-1']]);
  });

  it('is none that answers, with whatever sound', () => {
    for (const medium of ['phone', 'livekit'] as const) {
      const call = new CallUnderTest({ medium });
      call.tell(0, { kind: 'call_started' });
      call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
      if (medium === 'phone') call.play(15 * SECOND, 16 * SECOND);
      else call.tell(15 * SECOND, { kind: 'agent_speaking', active: true });
      if (medium === 'livekit') call.tell(16 * SECOND, { kind: 'agent_speaking', active: false });
      call.runTo(23 * SECOND);
      expect(call.timeline()).toEqual([[23, 'say', QUESTION]]);
    }
  });

  it('is none whose answer begins before the words of the caller are told', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(1.2 * SECOND, { kind: 'agent_speaking', active: false });
    call.tell(1.5 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.runTo(8.5 * SECOND);
    expect(call.timeline()).toEqual([[8.5, 'say', QUESTION]]);
  });

  it('is one that the caller interrupted, and that says nothing any more', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(9 * SECOND, { kind: 'caller_said', text: 'stop please', final: true });
    call.tell(9.4 * SECOND, { kind: 'agent_speaking', active: false });
    call.runTo(30 * SECOND);
    expect(call.timeline()).toEqual([[29, 'restart_agent', 'restart-1']]);
  });

  it('has not answered when it is our own question that was heard', () => {
    const call = started();
    call.tell(7.5 * SECOND, { kind: 'caller_said', text: 'yes I am', final: true });
    call.runTo(28 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [27.5, 'restart_agent', 'restart-1'],
    ]);
  });

  it('is no matter of a short noise; of longer speech it is, where no words are told', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(1.4 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(8.4 * SECOND);
    expect(call.timeline()).toEqual([[8.4, 'say', QUESTION]]);

    call.tell(10 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(12 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(35 * SECOND);
    expect(call.timeline().at(-1)).toEqual([32, 'restart_agent', 'restart-1']);
  });

  it('leaves the silence alone until there is another one, or for a minute', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(30 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(40 * SECOND, { kind: 'agent_changed' });
    call.runTo(47 * SECOND);
    expect(call.timeline().at(-1)).toEqual([47, 'say', QUESTION]);

    const left = started();
    left.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    left.runTo(88 * SECOND);
    expect(left.timeline().at(-1)).toEqual([88, 'say', QUESTION]);
  });

  it('is replaced twice in a call; the third is apologised for', () => {
    const call = started();
    for (const from of [0, 30, 60]) {
      call.tell((from + 1) * SECOND, { kind: 'caller_said', text: 'hello', final: true });
      call.tell((from + 22) * SECOND, { kind: 'agent_changed' });
    }
    expect(call.timeline().filter(([, , which]) => which !== QUESTION)).toEqual([
      [21, 'restart_agent', 'restart-1'],
      [51, 'restart_agent', 'restart-2'],
      [81, 'say', expect.stringContaining('Sorry')],
      [82, 'end', 'agent_frozen'],
    ]);
  });

  it('that cannot be replaced is apologised for at once', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(22 * SECOND, { kind: 'command_failed', commandId: 'restart-1' });
    call.runTo(MINUTE);
    expect(call.timeline().slice(1)).toEqual([
      [22, 'say', expect.stringContaining('Sorry')],
      [23, 'end', 'agent_frozen'],
    ]);
  });
});
