import { describe, expect, it } from '@jest/globals';
import { actionsOf, flags, MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

describe('a question', () => {
  it('takes 5 s to begin and as long as its text at most, if nothing is told of it', () => {
    const call = started({}, 'nothing');
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [23, 'say', QUESTION],
      [37, 'end', 'dead_air'],
    ]);
  });

  it('is over after a minute, once it was heard to begin, if its end is never told, and is no sound any more', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    call.tell(76 * SECOND, { kind: 'playback_started', id: 'q', commandId: 'checkin-2' });
    call.tell(77 * SECOND, { kind: 'playback_ended', id: 'q', commandId: 'checkin-2' });
    call.runTo(2 * MINUTE);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [75, 'say', QUESTION],
      [82, 'end', 'dead_air'],
    ]);
    expect(call.steps.map(({ step }) => step.name)).toContain('checkin_spoken');
    expect(flags(call)).toEqual(['flag_set']);
  });

  it('may take longer than its text: a recording of 12 s is heard to its end, and the silence counts from there', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    call.tell(20 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-1' });
    call.runTo(27 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [27, 'say', QUESTION],
    ]);
  });

  it('that takes longer than its text is taken back for work that begins while it is still heard', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    call.tell(18 * SECOND, { kind: 'work_started', id: 'tool' });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-1' }]);
  });

  it('is known by its end alone', () => {
    const call = started({}, 'nothing');
    call.runTo(7 * SECOND);
    call.tell(9 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-1' });
    call.runTo(16 * SECOND);
    expect(call.timeline()).toHaveLength(2);
    expect(call.timeline().at(-1)).toEqual([16, 'say', QUESTION]);
  });

  it('is not over before it was asked for, whatever the clock of those says who speak it', () => {
    const call = started({}, 'nothing');
    call.runTo(7 * SECOND);
    call.tellLate(7 * SECOND, 2 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    call.tellLate(7 * SECOND, 3 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-1' });
    call.runTo(14 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [14, 'say', QUESTION],
    ]);
  });

  it('that was refused was none, says so, and the count begins anew', () => {
    const call = started({ max_checkins_before_disconnect: 1 }, 'nothing');
    call.tell(8 * SECOND, { kind: 'command_failed', commandId: 'checkin-1' });
    call.tell(8 * SECOND, { kind: 'command_failed', commandId: 'checkin-1' });
    call.runTo(15 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [15, 'say', QUESTION],
    ]);
    expect(call.steps.map(({ step }) => step)).toEqual([
      { name: 'call_started', detail: {} },
      { name: 'checkin', detail: { number: 1, of: 1 } },
      { name: 'not_said', detail: { purpose: 'checkin' } },
      { name: 'checkin', detail: { number: 1, of: 1 } },
    ]);
    call.tell(16 * SECOND, { kind: 'playback_ended', id: 'p', commandId: 'checkin-2' });
    call.runTo(MINUTE);
    expect(call.timeline().at(-1)).toEqual([21, 'end', 'dead_air']);
  });

  it.each([
    [1, 2],
    [2, 2],
    [4, 4],
  ])('of %d that is always refused ends the call after %d of them', (allowed, refused) => {
    const call = started({ max_checkins_before_disconnect: allowed }, 'nothing');
    for (let number = 1; number <= refused; number += 1) {
      call.tell(7 * number * SECOND, { kind: 'command_failed', commandId: `checkin-${number}` });
    }
    call.runTo(MINUTE);
    expect(actionsOf(call, 'say')).toHaveLength(refused);
    expect(call.timeline().at(-1)).toEqual([7 * refused + 5, 'end', 'dead_air']);
  });

  it('that was refused before the caller was back counts no more', () => {
    const call = started({ max_checkins_before_disconnect: 1 }, 'nothing');
    call.tell(7 * SECOND, { kind: 'command_failed', commandId: 'checkin-1' });
    call.tell(8 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(8 * SECOND, { kind: 'caller_speaking', active: false });
    call.tell(15 * SECOND, { kind: 'command_failed', commandId: 'checkin-2' });
    call.runTo(22 * SECOND);
    expect(call.timeline()).toEqual([7, 15, 22].map((at) => [at, 'say', QUESTION]));
  });

  it('that could not be sent was none: nobody is hung up on who was not asked', () => {
    const call = started({ max_checkins_before_disconnect: 1 }, 'nothing');
    for (const [at, commandId] of [
      [12 * SECOND, 'checkin-1'],
      [24 * SECOND, 'checkin-2'],
    ] as const) {
      call.tell(at, { kind: 'command_failed', commandId, isUnsent: true });
      call.tell(at, { kind: 'command_failed', commandId, isUnsent: true });
    }
    call.runTo(31 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [19, 'say', QUESTION],
      [31, 'say', QUESTION],
    ]);
  });

  it('that is being spoken is stopped by a word of the caller, and all questions are asked again later', () => {
    const call = started();
    call.tell(15.5 * SECOND, { kind: 'caller_said', text: 'yes', final: true });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-2' }]);
    call.play(16 * SECOND, 17 * SECOND);
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [24, 'say', QUESTION],
      [32, 'say', QUESTION],
      [38, 'end', 'dead_air'],
    ]);
  });

  it('that nobody has heard yet is taken back too', () => {
    const call = started({}, 'nothing');
    call.tell(7.2 * SECOND, { kind: 'caller_speaking', active: true });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'checkin-1' }]);
  });

  it('that begins though it was taken back, since the word overtook it, is stopped', () => {
    const call = started({}, 'nothing');
    call.tell(7.1 * SECOND, { kind: 'caller_said', text: 'yes', final: true });
    const line = { id: 'checkin-1', commandId: 'checkin-1' };
    call.tell(7.2 * SECOND, { kind: 'playback_started', ...line });
    call.tell(7.2 * SECOND, { kind: 'playback_started', ...line });
    expect(actionsOf(call, 'unsay')).toEqual([
      { kind: 'unsay', commandId: 'checkin-1' },
      { kind: 'unsay', commandId: 'checkin-1', again: true },
    ]);
  });

  it('that was taken back is not waited for', () => {
    const call = started({}, 'nothing');
    call.tell(7.2 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(7.4 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(15 * SECOND);
    expect(call.timeline().at(-1)).toEqual([14.4, 'say', QUESTION]);
  });

  it('is not asked while words of the caller may still change', () => {
    const call = started({ silence_timeout_hold_on: 0.5 });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: false });
    call.runTo(4 * SECOND);
    expect(call.timeline()).toEqual([[3, 'say', QUESTION]]);
  });

  it('is taken back once, and not when it is over', () => {
    const call = started();
    call.tell(9 * SECOND, { kind: 'caller_said', text: 'yes', final: false });
    call.tell(10 * SECOND, { kind: 'caller_said', text: 'yes I am', final: true });
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.state.checkins).toBe(0);
  });

  it('stays spoken, whatever the agent says after it', () => {
    const call = started();
    call.tell(9 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(10 * SECOND, { kind: 'agent_speaking', active: false });
    call.tell(11 * SECOND, { kind: 'caller_speaking', active: true });
    expect(actionsOf(call, 'unsay')).toEqual([]);
    expect(call.steps.filter(({ step }) => step.name === 'checkin_spoken')).toHaveLength(1);
  });

  it('that was asked in ignorance of an earlier word is taken back when the word arrives', () => {
    const call = started({}, 'nothing');
    call.tellLate(7.1 * SECOND, 6.9 * SECOND, { kind: 'caller_speaking', active: true });
    expect(actionsOf(call, 'unsay')).toHaveLength(1);
    expect(call.state.checkins).toBe(0);
  });

  it('is not asked at all where none is wanted: the call ends when the first would have been due', () => {
    const call = started({ max_checkins_before_disconnect: 0 });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([[7, 'end', 'dead_air']]);
  });

  it('takes its turn through the whole call', () => {
    const call = started({ checkin_message: ['One?', 'Two?', 'Three?'] });
    call.tell(9 * SECOND, { kind: 'caller_said', text: 'yes', final: true });
    call.play(10 * SECOND, 11 * SECOND);
    call.runTo(18 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', 'One?'],
      [18, 'say', 'Two?'],
    ]);
  });

  it('is not answered by the agent: its own speech clears nothing', () => {
    const call = started();
    call.tell(9 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(10 * SECOND, { kind: 'agent_speaking', active: false });
    expect(call.state.checkins).toBe(1);
  });

  it('is not asked by words without a letter in them, nor cleared', () => {
    const call = started();
    call.tell(9 * SECOND, { kind: 'caller_said', text: ' … ', final: false });
    expect(call.state.checkins).toBe(1);
  });
});
