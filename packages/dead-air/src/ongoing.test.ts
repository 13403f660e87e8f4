import { expect, test } from '@jest/globals';
import { NOTHING_ONGOING, noteEnd, noteStart, type Ongoing, openSince } from './ongoing.js';

type Edge = ['start' | 'end', number];

function noteAll(edges: readonly Edge[], commandId?: string): Ongoing {
  return edges.reduce<Ongoing>((things, [kind, at]) => {
    const edge = { id: 'same', at, ...(commandId !== undefined && { commandId }) };
    return kind === 'start' ? noteStart(things, edge) : noteEnd(things, edge);
  }, NOTHING_ONGOING);
}

const TWICE: Edge[] = [
  ['start', 1],
  ['end', 2],
  ['start', 3],
  ['end', 4],
];

test('the same file played twice is two sounds', () => {
  expect(openSince(noteAll(TWICE.slice(0, 3)), 0)).toEqual([{ from: 3 }]);
  expect(noteAll(TWICE)).toMatchObject({ open: {}, startedAt: 3, endedAt: 4 });
});

test('in whatever order they are told, doubled or not: nothing plays after the last end', () => {
  for (const order of permutations(TWICE)) {
    expect(noteAll([...order, ...order])).toMatchObject({
      open: {},
      ended: { same: 4 },
      startedAt: 3,
      endedAt: 4,
    });
  }
});

test('in whatever order they are told: the second one still plays', () => {
  for (const order of permutations(TWICE.slice(0, 3))) {
    expect(openSince(noteAll(order), 0)).toEqual([{ from: 3 }]);
  }
});

test('a line of ours is spoken once: what bears its id afterwards is the agent', () => {
  const spoken = noteAll(TWICE.slice(0, 2), 'checkin-1');
  expect(spoken).toMatchObject({ startedAt: 0, endedAt: 0, commandEndedAt: 2 });
  expect(noteAll(TWICE, 'checkin-1')).toMatchObject({
    open: {},
    startedAt: 3,
    endedAt: 4,
    commandEndedAt: 2,
  });
});

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((first, index) =>
    permutations(list.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
  );
}
