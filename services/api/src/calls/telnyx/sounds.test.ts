import { begin, type CallState, resolveSettings, transition } from '@greenroom/dead-air';
import { describe, expect, test } from '@jest/globals';
import { hearSound, type Sound } from './sounds.js';

const NOW = 1_800_000_000_000;
const settings = resolveSettings({}, 'phone');

type Told = readonly [kind: 'started' | 'ended', at: number, sound?: Sound];

/**
 * What the rules know after all of it, told one after the other, a millisecond apart.
 * @param aheadMs of our clock, which cuts all that is in its future to the present
 */
function hear(told: readonly Told[], aheadMs = 0): CallState {
  let state = transition(begin(NOW, 'phone'), { kind: 'call_started', at: NOW }, settings).state;
  let facts: Readonly<Record<string, string>> = {};
  for (const [index, [kind, at, sound = { source: 'speak' }]] of told.entries()) {
    const now = NOW + 1000 + index;
    const occurredAt = NOW + at + aheadMs;
    const time = { occurredAt, timeOf: (it: number) => Math.min(it, now) };
    const heard = hearSound({ facts }, `playback_${kind}`, sound, time);
    facts = heard.facts;
    for (const event of heard.events) state = transition(state, event, settings).state;
  }
  return state;
}

test('a sound that two instances tell of, one of which reads the clock a little late, is over at its end and heard when played again', () => {
  const told = [
    ['playback_started', 10, 500],
    ['playback_ended', 40, 480],
    ['playback_started', 60, 470],
    ['playback_ended', 90, 460],
  ] as const;
  let state = transition(begin(NOW, 'phone'), { kind: 'call_started', at: NOW }, settings).state;
  let facts: Readonly<Record<string, string>> = {};
  const playing: boolean[] = [];
  for (const [kind, at, now] of told) {
    // Telnyx's clock is ahead: each instance cuts what it hears to its own present.
    const time = { occurredAt: NOW + 5_000 + at, timeOf: (it: number) => Math.min(it, NOW + now) };
    const heard = hearSound({ facts }, kind, { source: 'speak' }, time);
    facts = heard.facts;
    for (const event of heard.events) state = transition(state, event, settings).state;
    playing.push(open(state).length > 0);
  }
  expect(playing).toEqual([true, false, true, false]);
});

const open = (state: CallState) => Object.keys(state.playbacks.open);
const orders = <T>(of: readonly T[]): T[][] =>
  of.length <= 1
    ? [[...of]]
    : of.flatMap((it, i) => orders([...of.slice(0, i), ...of.slice(i + 1)]).map((rest) => [it, ...rest]));

describe.each([
  ['with clocks that agree', 0],
  ['with a clock of Telnyx that is ahead', 60_000],
])('%s', (_, aheadMs) => {
  test('two texts, spoken one after the other and told in any order, are both over at the end of the second', () => {
    const told: Told[] = [
      ['started', 10],
      ['ended', 20],
      ['started', 30],
      ['ended', 40],
    ];
    for (const order of orders(told)) {
      const state = hear(order, aheadMs);
      expect([order, open(state)]).toEqual([order, []]);
      if (aheadMs === 0) expect(state.playbacks.endedAt).toBe(NOW + 40);
    }
  });

  test('a text that is still spoken is not ended by the end of the one before it', () => {
    for (const order of orders<Told>([
      ['started', 10],
      ['ended', 20],
      ['started', 30],
    ])) {
      expect([order, open(hear(order, aheadMs))]).toEqual([order, ['speak']]);
    }
  });

  test('our own line is over, in any order; what is spoken after it under the same name is heard', () => {
    const line = { commandId: 'checkin-1' };
    const told: Told[] = [
      ['started', 10, line],
      ['ended', 20, line],
    ];
    for (const order of orders(told)) expect([order, open(hear(order, aheadMs))]).toEqual([order, []]);
    expect(open(hear([...told, ['started', 30, line]], aheadMs))).toEqual(['checkin-1']);
    expect(open(hear([...told, ['started', 30, line], ['ended', 40, line]], aheadMs))).toEqual([]);
  });
});

test('a beginning that is told twice is one: it does not begin anew at the second time', () => {
  const told: Told[] = [
    ['started', 10],
    ['started', 10],
  ];
  expect(hear(told, 60_000).playbacks.open['speak']?.from).toBe(NOW + 1000);
});

test('an end that is never told does not keep a text spoken that comes after it', () => {
  const told: Told[] = [
    ['started', 10],
    ['started', 30],
    ['ended', 40],
  ];
  expect(open(hear(told))).toEqual([]);
});

test('the same media may be played again, and two media at once', () => {
  const music = { source: 'music.mp3' };
  const voice = { playbackId: 'voice' };
  const told: Told[] = [
    ['started', 10, music],
    ['ended', 20, music],
    ['started', 30, music],
    ['started', 31, voice],
    ['ended', 35, voice],
  ];
  expect(open(hear(told))).toEqual(['music.mp3']);
});

test('what is remembered of sounds stays small', () => {
  let facts: Readonly<Record<string, string>> = {};
  for (let i = 0; i < 200; i += 1) {
    const time = { occurredAt: NOW + i, timeOf: (it: number) => it };
    facts = hearSound({ facts }, 'playback_ended', { source: `s${i % 40}` }, time).facts;
  }
  expect(facts['sounds']!.length).toBeLessThan(600);
});

test('a beginning that is told long after its end moves nothing', () => {
  for (const sound of [{ commandId: 'checkin-1' }, { playbackId: 'voice' }, { source: 'speak' }]) {
    const ended = hearSound({ facts: {} }, 'playback_ended', sound, {
      occurredAt: NOW + 20,
      timeOf: (it) => it,
    });
    const late = (it: number) => Math.max(it, NOW + 15_000);
    const begun = hearSound(ended, 'playback_started', sound, { occurredAt: NOW + 10, timeOf: late });
    expect(begun.events).toEqual([]);
  }
});
