import type { AdminSessionView, OverviewView } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { applyEvent, type Board, EMPTY_BOARD, sessionsOf, summarize } from './board.js';
import { describeEvent } from './event-line.js';

const AT = '2026-11-22T10:00:00.000Z';
const LATER = '2026-11-22T10:00:05.000Z';

function session(id: string, more: Partial<AdminSessionView> = {}): AdminSessionView {
  return {
    sessionId: id,
    status: 'ready',
    userId: 'ada',
    profile: 'default',
    host: 'a',
    prewarmed: false,
    createdAt: AT,
    assignedAt: AT,
    restarts: 0,
    ...more,
  } as AdminSessionView;
}

function boardOf(...events: [string, object][]): Board {
  const snapshot: OverviewView = {
    recovering: false,
    isCut: false,
    sessions: [
      session('s1'),
      session('w1', { status: 'pooled', userId: null, prewarmed: true, assignedAt: null }),
    ],
    pools: [{ profile: 'default', target: 2, ready: 1, warming: 1 } as OverviewView['pools'][number]],
    hosts: [{ host: 'a', state: 'up' } as OverviewView['hosts'][number]],
  };
  const all: [string, object][] = [['snapshot', snapshot], ...events];
  return all.reduce((board, [event, data]) => applyEvent(board, { event, data }), EMPTY_BOARD);
}

const step = (sessionId: string, more: object): [string, object] => [
  'session',
  { sessionId, step: 'x', at: LATER, profile: 'default', warm: false, ...more },
];

describe('what is watched follows the stream', () => {
  test('a session comes, gets ready on its host, and goes', () => {
    const came = boardOf(step('s2', { status: 'starting', userId: 'bob' }));
    expect(came.sessions.get('s2')).toMatchObject({
      status: 'starting',
      userId: 'bob',
      host: null,
      createdAt: LATER,
    });
    const ready = applyEvent(came, { event: 'session', data: step('s2', { status: 'ready', host: 'a' })[1] });
    expect(ready.sessions.get('s2')).toMatchObject({ status: 'ready', userId: 'bob', host: 'a' });
    const gone = applyEvent(ready, { event: 'session', data: step('s2', { status: 'gone' })[1] });
    expect([...gone.sessions.keys()]).toEqual(['s1', 'w1']);
  });

  test('a warm agent that is given to a caller is warm still, and its age counts from then', () => {
    const board = boardOf(step('w1', { status: 'ready', userId: 'eve' }));
    expect(board.sessions.get('w1')).toMatchObject({ prewarmed: true, userId: 'eve', assignedAt: LATER });
  });

  test('what an agent uses is shown with it, and a measurement of one that is gone is not kept', () => {
    const board = boardOf(
      ['load', { sessionId: 's1', at: LATER, cpuPercent: 12.4, memoryBytes: 1000 }],
      ['load', { sessionId: 'gone', at: LATER, cpuPercent: 1, memoryBytes: 1 }],
      step('s1', { status: 'restarting' }),
    );
    expect(board.sessions.get('s1')).toMatchObject({
      status: 'restarting',
      cpuPercent: 12.4,
      memoryBytes: 1000,
    });
    expect(board.sessions.has('gone')).toBe(false);
  });

  test('an alarm stays with its session until it is over', () => {
    const raised = boardOf(
      ['alarm', { sessionId: 's1', alarm: 'kill_failed', host: 'a', at: LATER, isOver: false }],
      step('s1', { status: 'ending' }),
    );
    expect(raised.sessions.get('s1')).toMatchObject({ status: 'ending', alarm: 'kill_failed' });
    expect(summarize(raised, sessionsOf(raised, {}))).toContain(' · 1 alarm');
    const over = applyEvent(raised, {
      event: 'alarm',
      data: { sessionId: 's1', alarm: 'kill_failed', isOver: true },
    });
    expect(over.sessions.get('s1')?.alarm).toBeUndefined();
  });

  test('pools and hosts change, a host that left is gone, and an unknown event changes nothing', () => {
    const board = boardOf(
      ['pool', { profile: 'default', at: LATER, target: 5, ready: 1, warming: 4 }],
      ['host', { host: 'b', at: LATER, state: 'draining' }],
      ['host', { host: 'a', at: LATER, state: 'removed' }],
    );
    expect(summarize(board, sessionsOf(board, {}))).toBe(
      '2 sessions: 1 ready, 1 pooled · warm 1 of 5 · hosts 1 draining',
    );
    expect(applyEvent(board, { event: 'news', data: {} })).toBe(board);
  });

  test('a new snapshot replaces everything', () => {
    const board = applyEvent(boardOf(), {
      event: 'snapshot',
      data: { recovering: true, isCut: false, sessions: [], pools: [], hosts: [] },
    });
    expect(summarize(board, [])).toBe('0 sessions · warm 0 of 0 · hosts none · recovering');
  });
});

test('filters hold, and the newest is first', () => {
  const board = boardOf(step('s2', { status: 'starting', userId: 'bob', host: 'b' }));
  const idsOf = (filter: object): string[] => sessionsOf(board, filter).map(({ sessionId }) => sessionId);
  expect(idsOf({})).toEqual(['s2', 's1', 'w1']);
  expect(idsOf({ status: 'pooled' })).toEqual(['w1']);
  expect(idsOf({ userId: 'bob' })).toEqual(['s2']);
  expect(idsOf({ host: 'b' })).toEqual(['s2']);
  expect(idsOf({ profile: 'other' })).toEqual([]);
});

test('without a screen there is a line for what has happened, and none for what was filtered out or is no news', () => {
  const data = {
    sessionId: 's1',
    at: AT,
    step: 'ready',
    status: 'ready',
    profile: 'default',
    warm: false,
    userId: 'ada',
    host: 'a',
  };
  expect(describeEvent({ event: 'session', data }, EMPTY_BOARD, {})).toMatch(
    /^\d\d:\d\d:\d\d {2}s1 {2}ready {2}ready {2}default {2}a$/,
  );
  expect(describeEvent({ event: 'session', data }, EMPTY_BOARD, { userId: 'bob' })).toBeUndefined();
  expect(describeEvent({ event: 'session', data }, EMPTY_BOARD, { status: 'ending' })).toBeUndefined();
  expect(describeEvent({ event: 'load', data }, EMPTY_BOARD, {})).toBeUndefined();
  const host = { host: 'a', at: AT, state: 'up', running: 3 };
  expect(describeEvent({ event: 'host', data: host }, EMPTY_BOARD, {})).toContain('host a: up');
  expect(describeEvent({ event: 'host', data: host }, boardOf(), {})).toBeUndefined();
});
