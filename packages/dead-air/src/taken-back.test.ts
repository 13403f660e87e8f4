import { describe, expect, it } from '@jest/globals';
import { AGENT_STARTING } from './ongoing.js';
import { CallUnderTest } from './testing/call-under-test.js';
import { actionsOf, MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

const lookup = { id: 'lookup' };

/** A line takes 2 s there. */
function inRoom(heardBy: 'playback' | 'agent_speaking' | 'nothing'): CallUnderTest {
  const call = new CallUnderTest({ medium: 'livekit', heardBy, lineMs: 2 * SECOND });
  call.tell(0, { kind: 'call_started' });
  return call;
}

describe('a line that work begins before the end of', () => {
  it('is taken back, counts as none, and comes again when the work is done', () => {
    const call = started();
    call.tell(7.3 * SECOND, { kind: 'work_started', ...lookup });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-1' }]);
    call.tell(18 * SECOND, { kind: 'work_ended', ...lookup });
    call.tell(19 * SECOND, { kind: 'work_started', id: 'transfer' });
    call.tell(20 * SECOND, { kind: 'work_ended', id: 'transfer' });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [27, 'say', QUESTION],
      [35, 'say', QUESTION],
      [41, 'end', 'dead_air'],
    ]);
    const spoken = call.steps.filter(({ step }) => step.name === 'checkin_spoken');
    expect(spoken.map(({ at }) => at)).toEqual([28 * SECOND, 36 * SECOND]);
    expect(call.steps.map(({ step }) => step.name)).not.toContain('caller_back');
  });

  it('is taken back for work that was told too late, too, but not for what is long past', () => {
    for (const [beganAt, takenBack] of [
      [5.6, 1],
      [5.4, 0],
    ] as const) {
      const call = started({}, 'nothing');
      call.tellLate(7.1 * SECOND, beganAt * SECOND, { kind: 'work_started', ...lookup });
      expect(actionsOf(call, 'unsay')).toHaveLength(takenBack);
    }
  });

  it('is not waited for any more, and is none whatever work comes later', () => {
    const call = started({}, 'nothing');
    call.tell(7.1 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(7.5 * SECOND, { kind: 'work_ended', ...lookup });
    call.tell(14 * SECOND, { kind: 'work_started', id: 'transfer' });
    call.tell(14.2 * SECOND, { kind: 'work_ended', id: 'transfer' });
    call.runTo(21.2 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [21.2, 'say', QUESTION],
    ]);
    expect(call.state.checkins).toBe(1);
  });

  it('was spoken by the telephone, and stays asked: the work of the next agent is another matter', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'agent_changed' });
    call.tell(8.1 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(9 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(16 * SECOND);
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.state.checkins).toBe(2);
  });

  it('is taken back where its agent in a room went before anything of it was heard, and is asked of the next one', () => {
    const call = inRoom('nothing');
    call.tell(8 * SECOND, { kind: 'agent_changed' });
    call.tell(8.001 * SECOND, { kind: 'work_started', id: AGENT_STARTING });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-1' }]);
    call.tell(9 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(10 * SECOND, { kind: 'agent_speaking', active: false });
    call.tell(10 * SECOND, { kind: 'work_ended', id: AGENT_STARTING });
    call.runTo(17 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [17, 'say', QUESTION],
    ]);
    expect(call.state.checkins).toBe(1);
  });

  it.each(['playback', 'agent_speaking'] as const)(
    'stays asked where its agent went when it was heard by its %s, or when its time was over',
    (heardBy) => {
      const heard = inRoom(heardBy);
      heard.tell(7.9 * SECOND, { kind: 'agent_changed' });
      const late = inRoom('nothing');
      late.tell(17 * SECOND, { kind: 'agent_changed' });
      for (const call of [heard, late]) {
        expect(actionsOf(call, 'unsay')).toEqual([]);
        call.runTo(26 * SECOND);
        expect(call.state.checkins).toBe(2);
      }
    },
  );

  it('is taken back once more if it is heard to begin all the same', () => {
    const call = started({}, 'nothing');
    call.tell(7.1 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(7.2 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    expect(actionsOf(call, 'unsay')).toEqual([
      { kind: 'unsay', commandId: 'checkin-1' },
      { kind: 'unsay', commandId: 'checkin-1', again: true },
    ]);
  });

  it('is taken back when it is heard to begin after its time, while work runs, and comes again', () => {
    const call = started({ checkin_message: 'Hello?' }, 'nothing');
    call.tell(14.6 * SECOND, { kind: 'work_started', ...lookup });
    expect(actionsOf(call, 'unsay')).toEqual([]);
    call.tell(14.7 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-1' }]);
    call.tell(14.8 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-1' });
    call.tell(20 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(28 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', 'Hello?'],
      [27, 'say', 'Hello?'],
    ]);
  });

  it('is not stopped when all that is heard of it is its end: whatever is played then is something else', () => {
    const call = started({ checkin_message: 'Hello?' }, 'nothing');
    call.tell(14.6 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(14.7 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-1' });
    expect(actionsOf(call, 'unsay')).toEqual([]);
  });

  it('stays asked where the work began after its end, however long the agent speaks then', () => {
    const call = started();
    call.tell(9 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(10 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(11 * SECOND, { kind: 'agent_speaking', active: false });
    call.tell(12 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(MINUTE);
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [19, 'say', QUESTION],
      [25, 'end', 'dead_air'],
    ]);
  });

  it('stays asked where only a sound of the agent told that it was heard', () => {
    const call = started({}, 'agent_speaking');
    call.tell(9 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(10 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(17 * SECOND);
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.timeline()).toHaveLength(2);
    expect(call.state.checkins).toBe(2);
  });

  it('is the goodbye before an end for the silence: it comes again when the work is done, and the silence has lasted', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.tell(21.5 * SECOND, { kind: 'work_started', ...lookup });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'goodbye-1' }]);
    call.tell(40 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [21, 'say', 'Goodbye.'],
      [45, 'say', 'Goodbye.'],
      [46, 'end', 'dead_air'],
    ]);
  });

  it('is neither an apology nor the goodbye of a call that is too long', () => {
    const frozen = started({ frozen_agent_action: 'end' });
    frozen.tell(1 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    frozen.tell(21.2 * SECOND, { kind: 'work_started', ...lookup });
    const long = started({ max_call_duration: 5, goodbye_message: 'Goodbye.' });
    long.tell(5.2 * SECOND, { kind: 'work_started', ...lookup });
    for (const call of [frozen, long]) {
      expect(actionsOf(call, 'unsay')).toEqual([]);
      call.tell(50 * SECOND, { kind: 'work_ended', ...lookup });
      call.runTo(MINUTE);
      expect(call.timeline().slice(1)).toEqual([[50, 'end', expect.any(String)]]);
    }
  });

  it('was refused, and is none already', () => {
    const call = started({}, 'nothing');
    call.tell(7.1 * SECOND, { kind: 'command_failed', commandId: 'checkin-1' });
    call.tell(7.2 * SECOND, { kind: 'work_started', ...lookup });
    call.tell(8 * SECOND, { kind: 'work_ended', ...lookup });
    call.runTo(15 * SECOND);
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.state.checkins).toBe(1);
  });
});
