import { describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import {
  END_AGAIN_MS,
  HEARD_LINE_MS,
  INTERIM_WORDS_MS,
  longestSpeechMs,
  ONGOING_MS,
  OVERTIME_MS,
  SPEECH_START_MS,
} from './bounds.js';
import type { CallAction, CallEvent } from './events.js';
import { resolveSettings } from './settings.js';
import { type CallState, begin } from './state.js';
import {
  consistentBatch,
  type Happening,
  happening,
  medium,
  pauseMs,
  settings,
} from './testing/arbitraries.js';
import { CallUnderTest, ZERO } from './testing/call-under-test.js';
import { transition } from './transition.js';

/** Always the same histories, so that no commit fails for another one's fault; `FUZZ=20000` tries as many others. */
const FUZZ = Number(process.env['FUZZ'] ?? 0);
const RUNS = FUZZ > 0 ? { numRuns: FUZZ } : { numRuns: 500, seed: 6 };
if (FUZZ > 0) jest.setTimeout(600_000);

const LONGEST_QUESTION_MS = SPEECH_START_MS + longestSpeechMs('Are you still there?');
/** One that was heard itself, if its end is told late or never. */
const LONGEST_HEARD_MS = SPEECH_START_MS + HEARD_LINE_MS;
const A_DAY = 24 * 3600_000;

const heardBy = fc.constantFrom('playback' as const, 'agent_speaking' as const, 'nothing' as const);
const history = fc.array(fc.tuple(pauseMs, happening), { maxLength: 25 });
const options = fc.record({ settings, medium, heardBy });

describe('whatever happens in a call', () => {
  it('nothing is said and no call ends while the caller speaks or work runs', () => {
    eachCall((call, told) => {
      for (const { at, action } of call.done) {
        if (action.kind !== 'say' && action.kind !== 'end') continue;
        expect(wasBusy(told, at) && !isPutOffForLongEnough(call, at)).toBe(false);
      }
    });
  });

  it('there are never more questions than allowed between two words of the caller', () => {
    eachCall((call, told) => {
      const asked = questionsOf(call, told).map(({ at }) => at);
      for (const [index, from] of asked.entries()) {
        const to = asked[index + call.settings.maxCheckins];
        if (to !== undefined) expect(told.some((event) => isOfCaller(event, from, to))).toBe(true);
      }
    });
  });

  it('a call ends for its silence only after all questions, and the delay after the last sound', () => {
    eachCall((call, told) => {
      const end = call.done.find(({ action }) => action.kind === 'end' && action.reason === 'dead_air');
      if (end === undefined) return;
      const lastWord = Math.max(-1, ...told.filter((event) => isOfCaller(event, 0, end.at - 1)).map(timeOf));
      const asked = call.done.filter(({ at, action }) => isQuestion(action) && at > lastWord);
      expect(asked.length).toBeGreaterThanOrEqual(call.settings.maxCheckins);
      const counted = questionsOf(call, told).filter(({ at }) => at > lastWord);
      expect(counted.length).toBeLessThanOrEqual(call.settings.maxCheckins);
      const lastSaid = Math.max(
        ...call.done.filter(({ action }) => action.kind === 'say').map(({ at }) => at),
      );
      if (call.settings.goodbyeMessage === null && asked.length > 0) {
        expect(end.at - lastSaid).toBeGreaterThanOrEqual(call.settings.disconnectDelayMs);
      }
    });
  });

  it('every command has an id of its own', () => {
    eachCall((call) => {
      const ids = call.done.flatMap(({ action }) =>
        'commandId' in action && action.kind !== 'unsay' ? [action.commandId] : [],
      );
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  it('the state is plain JSON', () => {
    eachCall((call) => expect(JSON.parse(JSON.stringify(call.state))).toEqual(call.state));
  });

  it('a call that nobody speaks in any more ends, and has nothing due then', () => {
    eachCall((call) => {
      call.runTo(call.now + A_DAY);
      expect(call.done.filter(({ action }) => action.kind === 'end').length).toBeGreaterThan(0);
      expect(call.dueAt).toBeNull();
    });
  });

  it('what is due lies ahead once the time has come', () => {
    fc.assert(
      fc.property(history, options, fc.integer({ min: 0, max: 60_000 }), (events, options, lateMs) => {
        const call = callWith(events, options);
        for (let steps = 0; call.dueAt !== null; steps += 1) {
          expect(steps).toBeLessThan(50);
          const at = Math.max(call.dueAt, ZERO + call.now) + lateMs;
          const next = transition(call.state, { kind: 'time', at }, call.settings);
          expect(next.dueAt === null || next.dueAt > at).toBe(true);
          call.state = next.state;
          call.dueAt = next.dueAt;
        }
      }),
      RUNS,
    );
  });

  it('a time that comes early changes nothing', () => {
    eachCall((call) => {
      if (call.dueAt === null) return;
      const early = transition(call.state, { kind: 'time', at: call.dueAt - 1 }, call.settings);
      expect(early).toEqual({ state: call.state, actions: [], steps: [], dueAt: call.dueAt });
    });
  });

  it('what the agent runs never counts as a word of the caller', () => {
    fc.assert(
      fc.property(history, options, (events, options) => {
        const call = callWith(
          events.filter(([, { kind }]) => !kind.startsWith('caller_')),
          options,
        );
        expect(questionsOf(call, call.told).length).toBeLessThanOrEqual(call.settings.maxCheckins);
        expect(call.steps.map(({ step }) => step.name)).not.toContain('caller_back');
        for (const { at, action } of call.done) {
          if (action.kind !== 'unsay' || action.again) continue;
          const cause = call.told.find((event) => event.at === at);
          expect(putsOff(cause!) || isLateBeginning(cause!, action, call.told)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('what the agent says or plays never counts as a word of the caller', () => {
    fc.assert(
      fc.property(history, options, (events, options) => {
        const call = callWith(
          events.filter(([, event]) => !event.kind.startsWith('caller_') && !putsOff(event)),
          options,
        );
        const asked = call.done.filter(({ action }) => isQuestion(action));
        const { checkins, refusedCheckins = 0 } = call.state;
        expect(checkins + refusedCheckins).toBe(asked.length);
        expect(checkins).toBeLessThanOrEqual(call.settings.maxCheckins);
        expect(call.done.filter(({ action }) => action.kind === 'unsay')).toEqual([]);
        expect(call.done.filter(({ action }) => action.kind === 'restart_agent')).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('the order in which events are delivered', () => {
  it('makes no difference, nor how often: the state is the same in the end', () => {
    fc.assert(
      fc.property(
        consistentBatch.chain(shuffledAndDoubled),
        settings,
        fc.boolean(),
        (batches, settings, isAsked) => {
          const resolved = resolveSettings(settings, 'phone');
          const before = isAsked ? questionPending() : quietCall();
          const inOrder = tellAll(before, batches.inOrder, resolved);
          const shuffled = tellAll(before, batches.shuffled, resolved);
          expect(shuffled).toEqual(inOrder);
        },
      ),
      RUNS,
    );
  });

  it('makes no difference to an event that is told again at once', () => {
    fc.assert(
      fc.property(history, options, happening, (events, options, happening) => {
        const call = callWith(events, options);
        const event = timed(happening, ZERO + call.now + 1);
        const once = transition(call.state, event, call.settings);
        const twice = transition(once.state, event, call.settings);
        expect(twice.state).toEqual(once.state);
        expect(twice.actions).toEqual([]);
        expect(twice.dueAt).toBe(once.dueAt);
      }),
      RUNS,
    );
  });
});

type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;

/** What was told, in order and at once, by which a call is judged without asking the machine. */
type Told = CallEvent[];

function eachCall(judge: (call: TimedCall, told: Told) => void): void {
  fc.assert(
    fc.property(history, options, (events, options) => {
      const call = callWith(events, options);
      judge(call, call.told);
    }),
    RUNS,
  );
}

class TimedCall extends CallUnderTest {
  readonly told: Told = [];
}

function callWith(events: [number, Happening][], options: Options): TimedCall {
  const call = new TimedCall(options);
  let at = 0;
  call.tell(at, { kind: 'call_started' });
  for (const [pause, event] of events) {
    at += pause;
    call.told.push(timed(event, at));
    call.tell(at, event);
  }
  return call;
}

/** Just before that time, and with what was told at that very time too. */
function wasBusy(told: Told, at: number): boolean {
  const before = told.filter((event) => event.at < at);
  const until = told.filter((event) => event.at <= at);
  return [before, until].every((events) => isBusy(events, at));
}

/** The one exception: an end that is put off again and again comes when it has been put off for that long. */
function isPutOffForLongEnough(call: TimedCall, at: number): boolean {
  const wasDue = at - OVERTIME_MS;
  return (
    wasDue === call.settings.maxCallDurationMs ||
    call.done.some(({ at, action }) => isLastLine(action) && at <= wasDue) ||
    call.told.some(({ kind, at }) => kind === 'command_failed' && at + END_AGAIN_MS === wasDue) ||
    call.told.some(({ kind, at }) => kind === 'link_failed' && at === wasDue)
  );
}

function isBusy(before: Told, at: number): boolean {
  const changedAt = Math.max(0, ...before.filter(({ kind }) => kind === 'agent_changed').map(timeOf));
  return (
    isCallerSpeaking(before, changedAt, at) ||
    ['a', 'b', 'c'].some((id) => isRunning(before, id, changedAt, at))
  );
}

function isCallerSpeaking(before: Told, changedAt: number, at: number): boolean {
  const speech = before.findLast((event) => event.kind === 'caller_speaking');
  const words = before.findLast(
    (event) => event.kind === 'caller_said' && event.text.trim() !== '' && event.text !== ' … ',
  );
  const speaks =
    speech?.kind === 'caller_speaking' &&
    speech.active &&
    speech.at > changedAt &&
    at - speech.at < ONGOING_MS;
  const goesOn = words?.kind === 'caller_said' && !words.final && at - words.at < INTERIM_WORDS_MS;
  return speaks || goesOn;
}

/** Work is known by its id, and is done once: what has ended is not begun again. */
function isRunning(before: Told, id: string, changedAt: number, at: number): boolean {
  const ofId = before.filter((event) => 'id' in event && event.kind.startsWith('work_') && event.id === id);
  if (ofId.some(({ kind }) => kind === 'work_ended')) return false;
  const start = ofId.findLast(({ kind }) => kind === 'work_started');
  return start !== undefined && start.at > changedAt && at - start.at < ONGOING_MS;
}

function isLastLine(action: CallAction): boolean {
  return action.kind === 'say' && action.purpose !== 'checkin';
}

function isQuestion(action: CallAction): boolean {
  return action.kind === 'say' && action.purpose === 'checkin';
}

/** Those that were not refused, that no work began before the end of, and whose agent stayed: such a one is taken back, and comes again. */
function questionsOf(call: CallUnderTest, told: Told) {
  const asked = call.done.filter(({ action }) => isQuestion(action));
  const isPutOff = (action: CallAction, from: number) => {
    const until = from + (isHeardItself(action, told) ? LONGEST_HEARD_MS : LONGEST_QUESTION_MS);
    return told.some((event) => putsOff(event) && event.at >= from && event.at <= until);
  };
  const isRefused = (action: CallAction, from: number) =>
    told.some(
      (event) =>
        event.kind === 'command_failed' &&
        'commandId' in action &&
        event.commandId === action.commandId &&
        event.at >= from,
    );
  return asked.filter(({ at, action }) => !isPutOff(action, at) && !isRefused(action, at));
}

/** By its own beginning or end, which tells more than another sound. */
function isHeardItself(action: CallAction, told: Told): boolean {
  return told.some(
    (event) =>
      event.kind.startsWith('playback_') &&
      'commandId' in event &&
      'commandId' in action &&
      event.commandId === action.commandId,
  );
}

function putsOff({ kind }: Pick<CallEvent, 'kind'>): boolean {
  return kind === 'work_started' || kind === 'agent_changed';
}

/** Of a line that counted as over, or of which nothing was heard yet: it is heard while work may run. */
function isLateBeginning(event: CallEvent, { commandId }: { commandId: string }, told: Told): boolean {
  if (event.kind !== 'playback_started' || event.commandId !== commandId) return false;
  return told.some(({ kind, at }) => kind === 'work_started' && at < event.at);
}

function isOfCaller(event: CallEvent, from: number, to: number): boolean {
  if (event.at < from || event.at > to) return false;
  return (
    (event.kind === 'caller_said' && /[a-z]/.test(event.text)) ||
    (event.kind === 'caller_speaking' && event.active)
  );
}

function timed(happening: Happening, at: number): CallEvent {
  return { ...happening, at };
}

function timeOf({ at }: CallEvent): number {
  return at;
}

function shuffledAndDoubled(inOrder: CallEvent[]) {
  return fc.record({
    inOrder: fc.constant(inOrder),
    shuffled: fc
      .array(fc.integer({ min: 0, max: Math.max(0, inOrder.length - 1) }), { maxLength: 6 })
      .chain((doubled) => {
        const all = [...inOrder, ...doubled.flatMap((index) => inOrder[index] ?? [])];
        return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
      }),
  });
}

function tellAll(state: CallState, events: CallEvent[], settings: ReturnType<typeof resolveSettings>) {
  return events.reduce((before, event) => transition(before, event, settings).state, state);
}

function quietCall(): CallState {
  const settings = resolveSettings(undefined, 'phone');
  return tellAll(begin(ZERO - 20_000, 'phone'), [{ kind: 'call_started', at: ZERO - 8_000 }], settings);
}

function questionPending(): CallState {
  const settings = resolveSettings(undefined, 'phone');
  return tellAll(quietCall(), [{ kind: 'time', at: ZERO - 500 }], settings);
}
