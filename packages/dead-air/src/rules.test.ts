import { describe, expect, it } from '@jest/globals';
import { MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

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
