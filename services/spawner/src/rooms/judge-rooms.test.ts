import { expect, test } from '@jest/globals';
import { hasForgottenRooms } from './judge-rooms.js';

const room = (letter: string) => ({ name: `room-${letter}`, sid: `RM_${letter}` });
const [a, b, c] = [room('a'), room('b'), room('c')];

function judge(over: {
  wanted: { name: string; sid: string }[];
  there?: { name: string; sid: string }[];
  seen?: { name: string; sid: string }[];
  away?: boolean;
}): boolean {
  const { wanted, there = [], seen = wanted, away = false } = over;
  return hasForgottenRooms({
    wanted,
    there: new Map(there.map(({ name, sid }) => [name, sid])),
    seenBefore: new Set(seen.map(({ sid }) => sid)),
    hasBeenAway: away,
  });
}

test('all rooms gone after an outage: forgotten, one room or many', () => {
  expect(judge({ wanted: [a, b], away: true })).toBe(true);
  expect(judge({ wanted: [a], away: true })).toBe(true);
});

test('all of several rooms gone at once: forgotten, although nobody saw LiveKit go', () => {
  expect(judge({ wanted: [a, b] })).toBe(true);
});

test('the only room gone while LiveKit answered all along: finished', () => {
  expect(judge({ wanted: [a] })).toBe(false);
});

test('one room gone while another is still there: finished, also after an outage', () => {
  expect(judge({ wanted: [a, b], there: [b] })).toBe(false);
  expect(judge({ wanted: [a, b], there: [b], away: true })).toBe(false);
});

test('a room that was made since, or made again under another sid, is no witness', () => {
  expect(judge({ wanted: [a, c], there: [c], seen: [a], away: true })).toBe(true);
  expect(judge({ wanted: [a, b], there: [{ name: b.name, sid: 'RM_new' }], away: true })).toBe(true);
});
