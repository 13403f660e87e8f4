import { describe, expect, it } from '@jest/globals';
import type { DeadAirSettings } from '@greenroom/contracts';
import { CallUnderTest } from './testing/call-under-test.js';

const SECOND = 1000;

describe('the reference timeline', () => {
  it('asks after 7 s, again 7 s after that question has ended, and hangs up 5 s after the second', () => {
    const call = silentCall();
    call.runTo(60 * SECOND);

    expect(call.timeline()).toEqual([
      [7, 'say', 'Are you still there?'],
      [15, 'say', 'Are you still there?'],
      [21, 'end', 'dead_air'],
    ]);
  });

  it('does the same where the agent says when it speaks', () => {
    const call = silentCall({}, 'agent_speaking');
    call.runTo(60 * SECOND);

    expect(call.timeline()).toEqual([
      [7, 'say', 'Are you still there?'],
      [15, 'say', 'Are you still there?'],
      [21, 'end', 'dead_air'],
    ]);
  });

  it('follows settings of its own: 10 s, three questions, other messages', () => {
    const call = silentCall({
      silence_timeout_normal: 10,
      max_checkins_before_disconnect: 3,
      checkin_message: ['Hello?', 'Anybody there?'],
      goodbye_message: 'Goodbye.',
    });
    call.runTo(60 * SECOND);

    expect(call.timeline()).toEqual([
      [10, 'say', 'Hello?'],
      [21, 'say', 'Anybody there?'],
      [32, 'say', 'Hello?'],
      [38, 'say', 'Goodbye.'],
      [39, 'end', 'dead_air'],
    ]);
  });

  it('waits 25 s after "hold on", for each question, until the caller speaks again', () => {
    const call = silentCall();
    call.tell(2 * SECOND, { kind: 'caller_said', text: 'Hold on, please.', final: true });
    call.runTo(54 * SECOND);
    expect(call.timeline()).toEqual([
      [27, 'say', 'Are you still there?'],
      [53, 'say', 'Are you still there?'],
    ]);

    call.tell(55 * SECOND, { kind: 'caller_said', text: 'Here I am.', final: true });
    call.play(56 * SECOND, 57 * SECOND);
    call.runTo(64 * SECOND);
    expect(call.timeline().at(-1)).toEqual([64, 'say', 'Are you still there?']);
  });
});

/** The agent is done at 0. Every line takes a second to speak. */
function silentCall(settings: DeadAirSettings = {}, heardBy: 'playback' | 'agent_speaking' = 'playback') {
  const call = new CallUnderTest({ settings, heardBy, lineMs: SECOND });
  call.tell(-3 * SECOND, { kind: 'call_started' });
  call.play(-2 * SECOND, 0);
  return call;
}
