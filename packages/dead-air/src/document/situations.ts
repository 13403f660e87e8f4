import type { CallEvent } from '../events.js';
import type { ResolvedDeadAirSettings } from '../settings.js';
import { begin, type CallState } from '../state.js';
import { transition } from '../transition.js';

/** A call as it may stand a second before something happens in it. */
export interface Situation {
  title: string;
  state: CallState;
  /** When something happens, in the table. */
  now: number;
}

const SECOND = 1000;
const ZERO = 1_800_000_000_000;

/** Each phase of a call, by an example that the machine itself brought about. */
export function situations(settings: ResolvedDeadAirSettings): Situation[] {
  const live = (title: string, events: CallEvent[]): Situation => {
    const told = [...GREETED, ...events];
    const state = told.reduce(
      (before, event) => transition(before, event, settings).state,
      begin(ZERO - 9 * SECOND, 'phone'),
    );
    return { title, state, now: Math.max(...told.map(({ at }) => at)) + SECOND };
  };
  return [
    { title: '`waiting`: not both sides are there', state: begin(ZERO, 'phone'), now: ZERO + SECOND },
    live('`lively`: the agent speaks', [playback('started', 2)]),
    live('`lively`: the caller speaks', [{ kind: 'caller_speaking', active: true, at: at(2) }]),
    live('`lively`: work runs', [{ kind: 'work_started', id: 'work', at: at(2) }]),
    live('`quiet`: the agent is done', []),
    live('`quiet`: the caller asked to hold on', [said('hold on', 2)]),
    live('`awaiting_agent`: the caller has spoken', [said('hello', 2)]),
    live('`asking`: the first question is being spoken', ASKED),
    live('`quiet`: the last question has been spoken', ASKED_TWICE),
    live('`parting`: the goodbye is being spoken', [
      ...ASKED_TWICE,
      time(21),
      line('started', 'goodbye-1', 21),
    ]),
    live('`ending`: the end is asked for', ENDED),
    live('`over`', [...ENDED, { kind: 'call_ended', at: at(22) }]),
  ];
}

/** The agent's greeting ends at 0. */
const GREETED: CallEvent[] = [
  { kind: 'call_started', at: at(-5) },
  playback('started', -4),
  playback('ended', 0),
];

const ASKED: CallEvent[] = [time(7), line('started', 'checkin-1', 7)];

const ASKED_TWICE: CallEvent[] = [
  ...ASKED,
  line('ended', 'checkin-1', 8),
  time(15),
  line('started', 'checkin-2', 15),
  line('ended', 'checkin-2', 16),
];

const ENDED: CallEvent[] = [
  ...ASKED_TWICE,
  time(21),
  line('started', 'goodbye-1', 21),
  line('ended', 'goodbye-1', 22),
  time(22),
];

function at(seconds: number): number {
  return ZERO + seconds * SECOND;
}

function playback(edge: 'started' | 'ended', seconds: number): CallEvent {
  return { kind: `playback_${edge}`, id: 'sound', at: at(seconds) };
}

function line(edge: 'started' | 'ended', commandId: string, seconds: number): CallEvent {
  return { kind: `playback_${edge}`, id: commandId, commandId, at: at(seconds) };
}

function said(text: string, seconds: number): CallEvent {
  return { kind: 'caller_said', text, final: true, at: at(seconds) };
}

function time(seconds: number): CallEvent {
  return { kind: 'time', at: at(seconds) };
}
