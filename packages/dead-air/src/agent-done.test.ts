import { describe, expect, it } from '@jest/globals';
import { flags, SECOND, started } from './testing/started-call.js';

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
