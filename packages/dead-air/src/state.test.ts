import { expect, test } from '@jest/globals';
import { begin, beginPhone, type CallState } from './state.js';
import { resolveSettings } from './settings.js';
import { transition } from './transition.js';

const settings = resolveSettings({ silence_timeout_normal: 1, agent_response_timeout: 2 }, 'phone');

/** The commands of a caller who says nothing, until the call has ended. */
function commandsOf(state: CallState, startedAt: number): string[] {
  let { state: now } = transition(state, { kind: 'call_started', at: startedAt }, settings);
  const ids: string[] = [];
  for (let at = startedAt; now.end === null; at += 1_000) {
    const next = transition(now, { kind: 'time', at }, settings);
    ids.push(...next.actions.flatMap((action) => ('commandId' in action ? [action.commandId] : [])));
    now = next.state;
  }
  return ids;
}

test('a phone call that was lost and begins anew gives no command an id that it has given before', () => {
  const first = commandsOf(beginPhone(5_000), 5_000);
  expect(first).toEqual(['checkin-1.5000', 'checkin-2.5000', 'end-1.5000']);
  expect(commandsOf(beginPhone(5_000), 5_000)).toEqual(first);
  expect(commandsOf(beginPhone(9_000), 9_000).filter((id) => first.includes(id))).toEqual([]);
});

test('a call that an earlier version has begun keeps its ids', () => {
  expect(commandsOf(begin(5_000, 'phone'), 5_000)).toEqual(['checkin-1', 'checkin-2', 'end-1']);
});

test('another agent that is refused is known by the id under which it was asked for', () => {
  const waiting = [
    { kind: 'call_started', at: 91_000 },
    { kind: 'caller_said', text: 'Hello', final: true, at: 91_000 },
    { kind: 'time', at: 93_500 },
  ] as const;
  let state: CallState = beginPhone(91_000);
  for (const event of waiting) ({ state } = transition(state, event, settings));
  expect(state.restart).toEqual({ at: 93_500, count: 1 });
  const refused = { kind: 'command_failed', commandId: 'restart-1.91000', at: 93_600 } as const;
  expect(transition(state, refused, settings).state.restart.at).toBe(0);
});
