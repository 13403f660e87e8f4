import { describe, expect, it } from '@jest/globals';
import { CallUnderTest } from './testing/call-under-test.js';
import { actionsOf, MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

describe('the end of a silent call', () => {
  it('comes when the goodbye has been spoken', () => {
    const call = started({ goodbye_message: 'Goodbye.' });
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [21, 'say', 'Goodbye.'],
      [22, 'end', 'dead_air'],
    ]);
  });

  it('comes when the caller has heard the goodbye: in a room the last word is on its way a moment longer', () => {
    for (const heardBy of ['playback', 'agent_speaking'] as const) {
      const call = new CallUnderTest({
        medium: 'livekit',
        heardBy,
        settings: { goodbye_message: 'Goodbye.' },
      });
      call.tell(0, { kind: 'call_started' });
      call.runTo(MINUTE);
      expect(call.timeline().slice(2)).toEqual([
        [21, 'say', 'Goodbye.'],
        [22.4, 'end', 'dead_air'],
      ]);
    }
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

  it('waits for a goodbye that is short to write and long to say, once it was heard to begin', () => {
    const goodbye_message = '再见，祝您今天愉快。';
    const call = new CallUnderTest({ settings: { goodbye_message }, lineMs: 6 * SECOND });
    call.tell(0, { kind: 'call_started' });
    call.runTo(MINUTE);
    expect(call.timeline().slice(2)).toEqual([
      [31, 'say', goodbye_message],
      [37, 'end', 'dead_air'],
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
