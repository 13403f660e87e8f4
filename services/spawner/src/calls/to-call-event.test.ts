import { describe, expect, test } from '@jest/globals';
import { messageId } from '@greenroom/contracts';
import { parseAgentEvent } from '../logs/index.js';
import { ongoingOf, timeOf, toCallEvent } from './to-call-event.js';

/** As an agent writes it. */
function read(line: object) {
  const parsed = parseAgentEvent(JSON.stringify(line));
  if (parsed.kind !== 'event') throw new Error(`no event: ${JSON.stringify(line)}`);
  return toCallEvent(parsed.event, 1000);
}

describe('what an agent reports', () => {
  test.each([
    [
      { event: 'agent_speaking', active: true },
      { kind: 'agent_speaking', active: true },
    ],
    [
      { event: 'user_speaking', active: false },
      { kind: 'caller_speaking', active: false },
    ],
    [
      { event: 'transcript', role: 'user', text: 'hold on', final: true },
      { kind: 'caller_said', text: 'hold on', final: true },
    ],
    [
      { event: 'transcript', role: 'user', text: 'hol', final: false },
      { kind: 'caller_said', text: 'hol', final: false },
    ],
    [
      { event: 'tool', active: true, name: 'find' },
      { kind: 'work_started', id: 'tool:find' },
    ],
    [
      { event: 'tool', active: false, name: 'find' },
      { kind: 'work_ended', id: 'tool:find' },
    ],
    [
      { event: 'transfer', active: true },
      { kind: 'work_started', id: 'transfer' },
    ],
    [
      { event: 'said', active: true, commandId: 'checkin-1' },
      { kind: 'playback_started', id: 'checkin-1', commandId: 'checkin-1' },
    ],
    [
      { event: 'said', active: false, commandId: messageId(1795343000000, 'checkin-1') },
      { kind: 'playback_ended', id: 'checkin-1', commandId: 'checkin-1' },
    ],
  ])('%j is told the call', (line, event) => {
    expect(read(line)).toEqual({ ...event, at: 1000 });
  });

  test.each([
    { event: 'ready' },
    { event: 'health', status: 'ok' },
    { event: 'error', message: 'no voice' },
    { event: 'end', reason: 'goodbye' },
    { event: 'transcript', role: 'agent', text: 'hold on', final: true },
  ])('%j has nothing to do with silence', (line) => {
    expect(read(line)).toBeUndefined();
  });

  test('what takes time is the same thing at its beginning and its end', () => {
    for (const line of [
      { event: 'agent_speaking' },
      { event: 'user_speaking' },
      { event: 'tool', id: '7' },
      { event: 'transfer' },
      { event: 'said', commandId: 'checkin-1' },
    ]) {
      const [begin, end] = [true, false].map((active) => read({ ...line, active }));
      if (begin === undefined || end === undefined) throw new Error('not told');
      const name = ongoingOf(begin)?.name;
      expect(name).toEqual(expect.any(String));
      expect([ongoingOf(begin), ongoingOf(end)]).toEqual([
        { name, active: true },
        { name, active: false },
      ]);
    }
  });
});

describe('when it happened', () => {
  const now = { ours: 50_000_000, redis: 90_000_000 };

  test('is told by the clock of Redis', () => {
    expect(timeOf(now.ours - 250, now)).toBe(now.redis - 250);
    expect(timeOf(undefined, now)).toBe(now.redis);
  });

  test('is not believed of the future, nor of a past that is long gone', () => {
    expect(timeOf(now.ours + 5000, now)).toBe(now.redis);
    expect(timeOf(0, now)).toBe(now.redis - 60_000);
  });
});
