import { expect, test } from '@jest/globals';
import { forgottenRooms, type WantedRoom } from './judge-rooms.js';

/** `before`: LiveKit was away since it was last seen; `after`: it was made or seen since. */
function room(letter: string, seen: 'before' | 'after'): WantedRoom {
  const isOlder = seen === 'before';
  return { name: `room-${letter}`, sid: `RM_${letter}`, mayHaveLapsed: isOlder, isWitness: isOlder };
}

function judge(wanted: WantedRoom[], there: { name: string; sid: string }[] = []): string[] {
  const sids = new Map(there.map(({ name, sid }) => [name, sid]));
  return forgottenRooms(wanted, sids).map(({ name }) => name);
}

const [oldA, oldB] = [room('a', 'before'), room('b', 'before')];
const [newA, newB] = [room('a', 'after'), room('b', 'after')];

test('all rooms gone after an outage: forgotten, one room or many', () => {
  expect(judge([oldA, oldB])).toEqual(['room-a', 'room-b']);
  expect(judge([oldA])).toEqual(['room-a']);
});

test('all of several rooms gone at once: forgotten, although nobody saw LiveKit go', () => {
  expect(judge([newA, newB])).toEqual(['room-a', 'room-b']);
});

test('the only room gone while LiveKit answered all along: finished', () => {
  expect(judge([newA])).toEqual([]);
});

test('one room gone while another is still there: finished, also after an outage that the other has outlived', () => {
  expect(judge([newA, newB], [newB])).toEqual([]);
  expect(judge([oldA, oldB], [oldB])).toEqual([]);
});

test('a room that was made since, or made again under another sid, is no witness', () => {
  expect(judge([oldA, newB], [newB])).toEqual(['room-a']);
  expect(judge([oldA, oldB], [{ name: oldB.name, sid: 'RM_new' }])).toEqual(['room-a']);
});

test('a room that is gone, but was made since the outage, is not counted with those from before', () => {
  expect(judge([oldA, newB])).toEqual(['room-a']);
});
