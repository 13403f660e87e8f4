import { describe, expect, it } from '@jest/globals';
import type { DeadAirSettings } from '@greenroom/contracts';
import type { CallAction } from './events.js';
import { CallUnderTest } from './testing/call-under-test.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const QUESTION = 'Are you still there?';

describe('silence', () => {
  it('does not count before the call has started', () => {
    const call = new CallUnderTest();
    call.play(0, 1 * SECOND);
    expect(call.dueAt).toBeNull();
    call.tell(30 * SECOND, { kind: 'call_started' });
    call.runTo(37 * SECOND);
    expect(call.timeline()).toEqual([[37, 'say', QUESTION]]);
  });

  it('begins when the last of several playbacks has ended', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'playback_started', id: 'a' });
    call.tell(2 * SECOND, { kind: 'playback_started', id: 'b' });
    call.tell(3 * SECOND, { kind: 'playback_ended', id: 'a' });
    call.tell(20 * SECOND, { kind: 'playback_ended', id: 'b' });
    call.runTo(27 * SECOND);
    expect(call.timeline()).toEqual([[27, 'say', QUESTION]]);
  });

  it('counts from the time at which a playback ended, however late that is told', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'playback_started', id: 'a' });
    call.tellLate(7 * SECOND, 3 * SECOND, { kind: 'playback_ended', id: 'a' });
    call.runTo(10 * SECOND);
    expect(call.timeline()).toEqual([[10, 'say', QUESTION]]);
  });

  it('is not moved back by an older event, nor forward by a doubled one', () => {
    const call = started();
    call.play(1 * SECOND, 4 * SECOND);
    call.tellLate(5 * SECOND, 2 * SECOND, { kind: 'agent_speaking', active: false });
    call.tellLate(6 * SECOND, 4 * SECOND, { kind: 'playback_ended', id: 'playback-1000' });
    call.runTo(11 * SECOND);
    expect(call.timeline()).toEqual([[11, 'say', QUESTION]]);
  });

  it('is not broken by a playback whose start is told after its end', () => {
    const call = started();
    call.tell(3 * SECOND, { kind: 'playback_ended', id: 'a' });
    call.tellLate(4 * SECOND, 1 * SECOND, { kind: 'playback_started', id: 'a' });
    call.runTo(10 * SECOND);
    expect(call.timeline()).toEqual([[10, 'say', QUESTION]]);
  });

  it('is not broken by the news that somebody who was quiet is quiet', () => {
    const call = started();
    call.tell(0, { kind: 'agent_speaking', active: true });
    call.tell(1 * SECOND, { kind: 'agent_speaking', active: false });
    call.tell(5 * SECOND, { kind: 'agent_speaking', active: false });
    call.runTo(8 * SECOND);
    expect(call.timeline()).toEqual([[8, 'say', QUESTION]]);
  });

  it('does not count while a tool call or a transfer runs, and counts from its end', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'work_started', id: 'lookup' });
    call.tell(2 * SECOND, { kind: 'work_started', id: 'transfer' });
    call.tell(30 * SECOND, { kind: 'work_ended', id: 'lookup' });
    call.tell(40 * SECOND, { kind: 'work_ended', id: 'transfer' });
    call.runTo(47 * SECOND);
    expect(call.timeline()).toEqual([[47, 'say', QUESTION]]);
  });

  it.each<[string, (call: CallUnderTest) => void]>([
    ['a playback', (call) => call.tell(0, { kind: 'playback_started', id: 'a' })],
    ['speech of the agent', (call) => call.tell(0, { kind: 'agent_speaking', active: true })],
    ['speech of the caller', (call) => call.tell(0, { kind: 'caller_speaking', active: true })],
    ['work', (call) => call.tell(0, { kind: 'work_started', id: 'a' })],
  ])('counts on 10 minutes after the start of %s whose end is never told', (_, begin) => {
    const call = started();
    begin(call);
    call.runTo(10 * MINUTE + 6 * SECOND);
    expect(call.timeline()).toEqual([]);
    call.runTo(10 * MINUTE + 7 * SECOND);
    expect(call.timeline()).toEqual([[607, 'say', QUESTION]]);
  });

  it('counts anew with another agent: what the old one played, ran or heard is over', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'playback_started', id: 'a' });
    call.tell(1 * SECOND, { kind: 'agent_speaking', active: true });
    call.tell(1 * SECOND, { kind: 'work_started', id: 'w' });
    call.tell(1 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(20 * SECOND, { kind: 'agent_changed' });
    call.tellLate(21 * SECOND, 19 * SECOND, { kind: 'playback_started', id: 'b' });
    call.runTo(27 * SECOND);
    expect(call.timeline()).toEqual([[27, 'say', QUESTION]]);
  });
});

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

  it('takes as long as its text at most, once it was heard to begin, and is no sound any more', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'playback_started', id: 'p', commandId: 'checkin-1' });
    call.tell(20 * SECOND, { kind: 'playback_started', id: 'q', commandId: 'checkin-2' });
    call.tell(21 * SECOND, { kind: 'playback_ended', id: 'q', commandId: 'checkin-2' });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [19, 'say', QUESTION],
      [26, 'end', 'dead_air'],
    ]);
    expect(call.steps.map(({ step }) => step.name)).toContain('checkin_spoken');
    expect(flags(call)).toEqual(['flag_set']);
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

  it('that was refused counts as asked, and the count begins anew', () => {
    const call = started({}, 'nothing');
    call.tell(8 * SECOND, { kind: 'command_failed', commandId: 'checkin-1' });
    call.runTo(15 * SECOND);
    expect(call.timeline()).toEqual([
      [7, 'say', QUESTION],
      [15, 'say', QUESTION],
    ]);
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

describe('the end of a silent call', () => {
  it('comes when the goodbye has been spoken', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [21, 'say', 'Goodbye.'],
      [22, 'end', 'dead_air'],
    ]);
  });

  it('comes when the goodbye has been spoken, whatever else the agent says', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.tell(21.5 * SECOND, { kind: 'agent_speaking', active: true });
    call.runTo(MINUTE);
    expect(call.timeline().at(-1)).toEqual([22, 'end', 'dead_air']);
  });

  it('comes 5 s and the length of the goodbye later if that is never heard', () => {
    const call = started({ goodbye_message: 'Goodbye.' }, 'nothing');
    call.runTo(MINUTE);
    expect(call.timeline().slice(-2)).toEqual([
      [37, 'say', 'Goodbye.'],
      [44.8, 'end', 'dead_air'],
    ]);
  });

  it('does not come if the caller is back during the goodbye', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.tell(21.5 * SECOND, { kind: 'caller_said', text: 'wait I am here', final: true });
    expect(actionsOf(call, 'unsay')).toEqual([{ kind: 'unsay', commandId: 'goodbye-1' }]);
    call.play(22 * SECOND, 23 * SECOND);
    call.runTo(30 * SECOND);
    expect(call.timeline().at(-1)).toEqual([30, 'say', QUESTION]);
  });

  it('waits for a caller who speaks', () => {
    const call = started({ disconnect_delay: 0 });
    call.tell(15.2 * SECOND, { kind: 'caller_speaking', active: true });
    call.runTo(MINUTE);
    expect(actionsOf(call, 'end')).toEqual([]);
  });

  it('that was refused is asked for again 30 s later, under another id', () => {
    const call = started({ max_checkins_before_disconnect: 0 });
    call.tell(8 * SECOND, { kind: 'command_failed', commandId: 'end-1' });
    call.runTo(2 * MINUTE);
    expect(actionsOf(call, 'end').map(({ commandId }) => commandId)).toEqual(['end-1', 'end-2']);
    expect(call.done.at(-1)?.at).toBe(38 * SECOND);
  });

  it('is the end: nothing that comes later does anything', () => {
    const call = started();
    call.tell(3 * SECOND, { kind: 'call_ended' });
    const { state } = call;
    call.tell(4 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    call.tell(4 * SECOND, { kind: 'playback_ended', id: 'a' });
    call.tell(MINUTE, { kind: 'time' });
    expect(call.state).toEqual(state);
    expect(call.done).toEqual([]);
    expect(call.dueAt).toBeNull();
  });
});

describe('holding on', () => {
  it('is over with the next words, not with a noise', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.tell(2 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(3 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(28 * SECOND);
    expect(call.timeline()).toEqual([[28, 'say', QUESTION]]);
  });

  it('counts the later of words that were read at once', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold', final: false });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(26 * SECOND);
    expect(call.timeline()).toEqual([[26, 'say', QUESTION]]);

    const back = started();
    back.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    back.tell(1 * SECOND, { kind: 'caller_said', text: 'I am back', final: true });
    back.tell(2 * SECOND, { kind: 'agent_speaking', active: true });
    back.tell(3 * SECOND, { kind: 'agent_speaking', active: false });
    back.runTo(10 * SECOND);
    expect(back.timeline()).toEqual([[10, 'say', QUESTION]]);
  });

  it('needs no answer: the agent is not frozen', () => {
    const call = started({ silence_timeout_hold_on: 100 });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(90 * SECOND);
    expect(call.timeline()).toEqual([]);
  });

  it('ends with 5 s after the last question, as ever', () => {
    const call = started();
    call.tell(0, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(2 * MINUTE);
    expect(call.timeline()).toEqual([
      [25, 'say', QUESTION],
      [51, 'say', QUESTION],
      [57, 'end', 'dead_air'],
    ]);
  });
});

describe('a call that is too long', () => {
  const settings = { max_call_duration: 30, silence_timeout_normal: 300 };

  it('ends', () => {
    const call = started(settings);
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([[30, 'end', 'max_call_duration']]);
  });

  it('ends with a goodbye, which the caller does not stop', () => {
    const call = started({ ...settings, goodbye_message: 'Goodbye.' });
    call.tell(30.5 * SECOND, { kind: 'caller_said', text: 'but', final: true });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([
      [30, 'say', 'Goodbye.'],
      [31, 'end', 'max_call_duration'],
    ]);
  });

  it('ends when the caller pauses', () => {
    const call = started(settings);
    call.tell(20 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(45 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([[45, 'end', 'max_call_duration']]);
  });

  it('ends 2 s after words that may still change', () => {
    const call = started(settings);
    call.tell(29 * SECOND, { kind: 'caller_said', text: 'I wanted', final: false });
    call.runTo(MINUTE);
    expect(call.timeline()).toEqual([[31, 'end', 'max_call_duration']]);
  });

  it('ends 10 minutes late at the latest, whoever speaks', () => {
    const call = started(settings);
    for (let at = 20; at < 700; at += 1) {
      call.tell(at * SECOND, { kind: 'caller_said', text: 'and', final: false });
    }
    expect(call.timeline()).toEqual([[630, 'end', 'max_call_duration']]);
  });

  it('is a matter of phone calls', () => {
    const call = new CallUnderTest({ medium: 'livekit', settings });
    call.tell(0, { kind: 'call_started' });
    call.runTo(299 * SECOND);
    expect(call.timeline()).toEqual([]);
  });
});

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

describe('the flag', () => {
  it('is set when no playback remains, and cleared by the caller', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'playback_started', id: 'a' });
    call.tell(2 * SECOND, { kind: 'playback_started', id: 'b' });
    call.tell(3 * SECOND, { kind: 'playback_ended', id: 'a' });
    expect(flags(call)).toEqual([]);
    call.tell(4 * SECOND, { kind: 'playback_ended', id: 'b' });
    expect(flags(call)).toEqual(['flag_set']);
    call.tell(4 * SECOND, { kind: 'playback_ended', id: 'b' });
    call.tell(5 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(6 * SECOND, { kind: 'caller_said', text: 'hello', final: true });
    expect(flags(call)).toEqual(['flag_set', 'flag_clear']);
  });

  it('is cleared when something is played again', () => {
    const call = started();
    call.play(1 * SECOND, 2 * SECOND);
    call.play(3 * SECOND, 4 * SECOND);
    expect(flags(call)).toEqual(['flag_set', 'flag_clear', 'flag_set']);
  });

  it('follows the agent where it says itself when it speaks', () => {
    const call = started();
    call.tell(0, { kind: 'agent_speaking', active: false });
    call.tell(1 * SECOND, { kind: 'agent_speaking', active: true });
    expect(flags(call)).toEqual([]);
    call.tell(2 * SECOND, { kind: 'agent_speaking', active: false });
    expect(flags(call)).toEqual(['flag_set']);
  });
});

describe('settings that change', () => {
  it('hold at once, for the silence that lasts already', () => {
    const call = started({ silence_timeout_normal: 60 });
    call.change(5 * SECOND, { silence_timeout_normal: 10, checkin_message: 'Hello?' });
    call.runTo(11 * SECOND);
    expect(call.timeline()).toEqual([[10, 'say', 'Hello?']]);
  });

  it('may make due at once what would have waited', () => {
    const call = started({ silence_timeout_normal: 60 });
    call.change(20 * SECOND, { silence_timeout_normal: 10 });
    call.runTo(20 * SECOND);
    expect(call.timeline()).toEqual([[20, 'say', QUESTION]]);
  });

  it('may allow a question more than was allowed when the last was asked', () => {
    const call = started();
    call.change(17 * SECOND, { max_checkins_before_disconnect: 3 });
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [23, 'say', QUESTION],
      [29, 'end', 'dead_air'],
    ]);
  });
});

describe('a time that comes late', () => {
  it('brings one step, not all that would have been', () => {
    const call = started();
    call.dueAt = null;
    call.tell(3 * MINUTE, { kind: 'time' });
    expect(call.timeline()).toEqual([[180, 'say', QUESTION]]);
  });
});

describe('the steps', () => {
  it('tell what happened, and never what was said', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.tell(9 * SECOND, { kind: 'caller_said', text: 'hold on, my secret', final: true });
    call.runTo(2 * MINUTE);
    call.tell(3 * MINUTE, { kind: 'call_ended' });

    expect(call.steps.map(({ step }) => step.name)).toEqual([
      'call_started',
      'checkin',
      'checkin_spoken',
      'caller_back',
      'hold_on',
      'checkin',
      'checkin_spoken',
      'checkin',
      'checkin_spoken',
      'goodbye',
      'goodbye_spoken',
      'call_ending',
      'call_ended',
    ]);
    expect(JSON.stringify(call.steps)).not.toContain('secret');
    expect(JSON.stringify(call.state)).not.toContain('secret');
  });
});

/** Both sides are there at 0, and nobody has said a word. */
function started(
  settings: DeadAirSettings = {},
  heardBy: 'playback' | 'agent_speaking' | 'nothing' = 'playback',
): CallUnderTest {
  const call = new CallUnderTest({ settings, heardBy });
  call.tell(0, { kind: 'call_started' });
  return call;
}

function actionsOf<Kind extends CallAction['kind']>(call: CallUnderTest, kind: Kind) {
  return call.done
    .map(({ action }) => action)
    .filter((action): action is Extract<CallAction, { kind: Kind }> => action.kind === kind);
}

function flags(call: CallUnderTest): string[] {
  return call.done.map(({ action }) => action.kind).filter((kind) => kind.startsWith('flag_'));
}
