import { begin, type CallState, resolveSettings, transition } from '@greenroom/dead-air';
import { expect, test } from '@jest/globals';
import { hearSound, type Sound } from './sounds.js';

const NOW = 1_800_000_000_000;
const settings = resolveSettings({}, 'phone');

type Told = readonly [kind: 'started' | 'ended', at: number, sound?: Sound];

/** What the rules know after all of it. */
function hear(told: readonly Told[]): CallState {
  let state = transition(begin(NOW, 'phone'), { kind: 'call_started', at: NOW }, settings).state;
  let facts: Readonly<Record<string, string>> = {};
  for (const [kind, at, sound = { source: 'speak' }] of told) {
    const time = { occurredAt: NOW + at, timeOf: (it: number) => it };
    const heard = hearSound({ state, facts }, `playback_${kind}`, sound, time);
    facts = heard.facts;
    for (const event of heard.events) state = transition(state, event, settings).state;
  }
  return state;
}

const open = (state: CallState) => Object.keys(state.playbacks.open);
const orders = <T>(of: readonly T[]): T[][] =>
  of.length <= 1
    ? [[...of]]
    : of.flatMap((it, i) => orders([...of.slice(0, i), ...of.slice(i + 1)]).map((rest) => [it, ...rest]));

test('two texts, spoken one after the other and told in any order, are both over at the end of the second', () => {
  const told: Told[] = [
    ['started', 10],
    ['ended', 20],
    ['started', 30],
    ['ended', 40],
  ];
  for (const order of orders(told)) {
    const state = hear(order);
    expect([order, open(state)]).toEqual([order, []]);
    expect(state.playbacks.endedAt).toBe(NOW + 40);
  }
});

test('a text that is still spoken is not ended by the end of the one before it', () => {
  for (const order of orders<Told>([
    ['started', 10],
    ['ended', 20],
    ['started', 30],
  ])) {
    expect([order, open(hear(order))]).toEqual([order, [`speak@${NOW + 30}`]]);
  }
});

test('an end that is never told does not keep a text spoken that comes after it', () => {
  expect(
    open(
      hear([
        ['started', 10],
        ['started', 30],
        ['ended', 40],
      ]),
    ),
  ).toEqual([]);
});

test('the same media may be played again, and two media at once', () => {
  const music = { source: 'music.mp3' };
  const voice = { source: 'voice.mp3' };
  const state = hear([
    ['started', 10, music],
    ['ended', 20, music],
    ['started', 30, music],
    ['started', 31, voice],
    ['ended', 35, voice],
  ]);
  expect(open(state)).toEqual([`music.mp3@${NOW + 30}`]);
});

test('what Telnyx gives an id is known by it', () => {
  expect(
    open(
      hear([
        ['ended', 20, { playbackId: 'p' }],
        ['started', 10, { playbackId: 'p' }],
      ]),
    ),
  ).toEqual([]);
  expect(open(hear([['started', 10, { playbackId: 'p' }]]))).toEqual(['p']);
});

test('our own line is known by its command, in any order; what is spoken after it under the same name is another', () => {
  const line = { commandId: 'checkin-1' };
  expect(
    open(
      hear([
        ['ended', 20, line],
        ['started', 10, line],
      ]),
    ),
  ).toEqual([]);
  expect(
    open(
      hear([
        ['started', 10, line],
        ['ended', 20, line],
        ['started', 30, line],
      ]),
    ),
  ).toEqual([`speak@${NOW + 30}`]);
  expect(
    open(
      hear([
        ['started', 10, line],
        ['ended', 20, line],
        ['started', 30, line],
        ['ended', 40, line],
      ]),
    ),
  ).toEqual([]);
});

test('what is remembered of sounds without an id stays small', () => {
  const told = Array.from({ length: 200 }, (_, i): Told => ['ended', i, { source: `s${i % 40}` }]);
  let facts: Readonly<Record<string, string>> = {};
  for (const [, at, sound] of told) {
    const time = { occurredAt: NOW + at, timeOf: (it: number) => it };
    facts = hearSound({ state: begin(NOW, 'phone'), facts }, 'playback_ended', sound!, time).facts;
  }
  expect(facts['sounds']!.length).toBeLessThan(600);
});
