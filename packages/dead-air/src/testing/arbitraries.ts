import type { DeadAirSettings } from '@greenroom/contracts';
import * as fc from 'fast-check';
import type { CallEvent } from '../events.js';
import type { CallMedium } from '../state.js';
import { ZERO } from './call-under-test.js';

type Untimed<Event> = Event extends CallEvent ? Omit<Event, 'at'> : never;
export type Happening = Untimed<CallEvent>;

const id = fc.constantFrom('a', 'b', 'c');
const commandId = fc.constantFrom('checkin-1', 'checkin-2', 'goodbye-1', 'apology-1', 'restart-1', 'end-1');
const words = fc.constantFrom('hello', 'hold on', 'wait a minute', 'yes I am here', ' … ', '');

/** Anything that may be told of a call, in any order and whether it makes sense or not. */
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constantFrom('playback_started' as const, 'playback_ended' as const), id }),
  fc.record({
    kind: fc.constantFrom('playback_started' as const, 'playback_ended' as const),
    id: commandId,
    commandId,
  }),
  fc.record({
    kind: fc.constantFrom('agent_speaking' as const, 'caller_speaking' as const),
    active: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('caller_said' as const), text: words, final: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('work_started' as const, 'work_ended' as const), id }),
  fc.record({ kind: fc.constant('agent_changed' as const) }),
  fc.record({ kind: fc.constant('settings_changed' as const) }),
  fc.record({ kind: fc.constantFrom('link_started' as const, 'link_made' as const) }),
  fc.record({ kind: fc.constant('link_failed' as const), cause: fc.constant('user_busy') }),
  fc.record({ kind: fc.constant('command_failed' as const), commandId }),
);

/** How long nothing is told before that. */
export const pauseMs = fc.oneof(
  fc.integer({ min: 1, max: 3_000 }),
  fc.integer({ min: 3_000, max: 40_000 }),
  fc.constant(11 * 60_000),
);

export const medium: fc.Arbitrary<CallMedium> = fc.constantFrom('phone', 'livekit');

export const settings: fc.Arbitrary<DeadAirSettings> = fc.record(
  {
    silence_timeout_normal: fc.constantFrom(0.5, 7, 10),
    silence_timeout_hold_on: fc.constantFrom(0.5, 25),
    max_checkins_before_disconnect: fc.integer({ min: 0, max: 4 }),
    max_call_duration: fc.constantFrom(30, 1500),
    checkin_message: fc.constantFrom<string | string[]>('Hello?', ['One?', 'Two?', 'Three?']),
    disconnect_delay: fc.constantFrom(0, 5),
    goodbye_message: fc.constantFrom('Goodbye.'),
    agent_response_timeout: fc.constantFrom(1, 20),
    frozen_agent_action: fc.constantFrom('restart' as const, 'end' as const),
  },
  { requiredKeys: [] },
);

/**
 * What one side does: it speaks and falls quiet, playbacks and work begin and end, each at a time of its own, as sources
 * tell that are not broken. They may be delivered in any order.
 */
export const consistentBatch: fc.Arbitrary<CallEvent[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'),
      fc.integer({ min: 0, max: 4_999 }),
    ),
    {
      maxLength: 14,
    },
  )
  .chain((edges) =>
    fc.record({
      edges: fc.constant(edges),
      text: fc.array(words, { minLength: edges.length, maxLength: edges.length }),
    }),
  )
  .map(({ edges, text }) => tellInOrder(edges, text));

function tellInOrder(edges: [string, number][], text: string[]): CallEvent[] {
  const times = [...new Set(edges.map(([, at]) => at))].sort((a, b) => a - b);
  const seen = new Map<string, number>();
  return times.map((offset, index): CallEvent => {
    const at = ZERO + offset;
    const who = edges[index]?.[0] ?? 'a';
    const count = seen.get(who) ?? 0;
    seen.set(who, count + 1);
    const isStart = count % 2 === 0;
    const id = `${who}${Math.floor(count / 2)}`;
    switch (who) {
      case 'a':
        return { kind: 'agent_speaking', active: isStart, at };
      case 'b':
        return { kind: 'caller_speaking', active: isStart, at };
      case 'c':
        return { kind: 'caller_said', text: text[index] ?? '', final: isStart, at };
      case 'd':
        return { kind: isStart ? 'work_started' : 'work_ended', id, at };
      case 'e':
        return { kind: 'agent_changed', at };
      case 'f':
        return {
          kind: isStart ? 'playback_started' : 'playback_ended',
          id,
          commandId: 'checkin-1',
          at,
        };
      case 'g':
        return { kind: 'command_failed', commandId: isStart ? 'checkin-1' : 'restart-1', at };
      case 'i':
        return isStart ? { kind: 'link_failed', cause: 'timeout', at } : { kind: 'link_made', at };
      default:
        return { kind: isStart ? 'playback_started' : 'playback_ended', id, at };
    }
  });
}
