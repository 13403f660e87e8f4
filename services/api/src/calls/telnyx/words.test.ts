import { begin, type CallEvent, type CallState, resolveSettings, transition } from '@greenroom/dead-air';
import { describe, expect, test } from '@jest/globals';
import { timeOf } from './phone-steps.js';
import { hearWords } from './words.js';

const NOW = 1_800_000_000_000;
const SECOND = 1_000;
const settings = resolveSettings({}, 'phone');

/** A call that hears what Telnyx tells of it, each at a time and of a time. Seconds. */
class HeardCall {
  private facts: Readonly<Record<string, string>> = {};
  private state = begin(NOW, 'phone');
  private dueAt: number | null = null;

  constructor() {
    this.take({ kind: 'call_started', at: NOW });
  }

  take(event: CallEvent): void {
    const { state, dueAt } = transition(this.state, event, settings);
    this.state = state;
    this.dueAt = dueAt;
  }

  agentSpeaks(from: number, to: number): void {
    this.take({ kind: 'agent_speaking', active: true, at: NOW + from * SECOND });
    this.take({ kind: 'agent_speaking', active: false, at: NOW + to * SECOND });
  }

  words(text: string, at: number, { isFinal = true, toldAt = at } = {}): void {
    const time = {
      occurredAt: NOW + at * SECOND,
      timeOf: (it: number) => timeOf(it, NOW + toldAt * SECOND),
    };
    const { events, facts } = hearWords({ facts: this.facts }, { text, isFinal }, time);
    this.facts = facts;
    for (const event of events) this.take(event);
  }

  /** When something is due: 7 s after the last sound, 20 s after words without an answer, 25 s after "hold on". */
  dueIn(): number {
    return (this.dueAt! - NOW) / SECOND;
  }

  wordsOf(): CallState['words'] {
    return this.state.words;
  }
}

describe('words that are told late', () => {
  test('want no other answer, where the final ones have had theirs', () => {
    const call = new HeardCall();
    call.words('my number is four', 10);
    call.agentSpeaks(11, 13);
    expect(call.dueIn()).toBe(20);
    call.words('my number', 9, { isFinal: false, toldAt: 20 });
    expect(call.dueIn()).toBe(20);
    call.words('good morning', 8, { toldAt: 20 });
    expect(call.dueIn()).toBe(20);
  });

  test('end no "hold on" that was said after them', () => {
    const call = new HeardCall();
    call.words('hold on please', 12);
    call.words('old on', 12, { isFinal: false, toldAt: 20 });
    call.words('yes', 8, { toldAt: 20 });
    expect(call.dueIn()).toBe(37);
  });

  test('are no "hold on" any more where the caller has spoken since', () => {
    const call = new HeardCall();
    call.words('I am back', 10);
    call.words('hold on please', 3, { toldAt: 20 });
    expect(call.dueIn()).toBe(30);
  });

  test('count where they are the latest: from 5 s ago', () => {
    const call = new HeardCall();
    call.words('hello', 1);
    call.words('are you there', 9, { toldAt: 20 });
    expect(call.dueIn()).toBe(35);
  });
});

test('guesses that nothing final has followed mean that more is to come', () => {
  const call = new HeardCall();
  call.words('hello', 1);
  call.words('are', 2, { isFinal: false });
  expect(call.wordsOf()).toMatchObject({ interimAt: NOW + 2_000, finalAt: NOW + 1_000 });
  call.words('are you', 2, { isFinal: true });
  expect(call.wordsOf()).toMatchObject({ at: NOW + 2_000, finalAt: NOW + 2_000 });
});

test('an instance whose clock is late does not put the next words before "hold on"', () => {
  const call = new HeardCall();
  call.words('hold on', 30, { toldAt: 10 });
  call.words('thank you', 31, { toldAt: 9.99 });
  expect(call.dueIn()).toBe(30);
});
