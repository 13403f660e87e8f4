import { describe, expect, it } from '@jest/globals';
import { CallUnderTest } from './testing/call-under-test.js';
import { MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

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
