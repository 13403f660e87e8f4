import { describe, expect, test } from '@jest/globals';
import type { LiveSession } from '../live/live-state.js';
import { apiFilterOf, isAny, matcherOf, readFilters } from './filters.js';
import { DEFAULT_SORT, readSort, sortSessions, startMsOf, writeSort } from './sort.js';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');

function session(sessionId: string, fields: Partial<LiveSession> = {}): LiveSession {
  return {
    sessionId,
    status: 'ready',
    profile: 'default',
    host: 'a',
    userId: null,
    userName: null,
    prewarmed: false,
    createdAt: new Date(NOW - 60_000).toISOString(),
    assignedAt: new Date(NOW - 60_000).toISOString(),
    startupTime: null,
    restarts: 0,
    ...fields,
  } as LiveSession;
}

function found(query: string, ...sessions: LiveSession[]): string[] {
  return sessions.filter(matcherOf(readFilters(query), NOW)).map(({ sessionId }) => sessionId);
}

describe('filters in the address', () => {
  test('search an id, a user’s id and name, in any case; all that is named must be so', () => {
    const ada = session('session_1', { userName: 'Ada Lovelace', host: 'b' });
    const bob = session('session_2', { userId: 'bob-ada' });
    const eve = session('session_3', { userId: 'eve' });
    expect(found('?q=ADA', ada, bob, eve)).toEqual(['session_1', 'session_2']);
    expect(found('?q=_3', ada, bob, eve)).toEqual(['session_3']);
    expect(found('?q=ada&host=b', ada, bob, eve)).toEqual(['session_1']);
    expect(found('?state=starting', ada, bob, eve)).toEqual([]);
    expect(found('', ada, bob, eve)).toHaveLength(3);
  });

  test('know an age, and what is wrong', () => {
    const old = session('old', { assignedAt: new Date(NOW - 301_000).toISOString() });
    const failed = session('failed', { status: 'error', error: 'exit code 1' });
    const stuck = session('stuck', { status: 'ending', alarm: 'kill_failed' });
    const fine = session('fine');
    expect(found('?older=5m', old, fine)).toEqual(['old']);
    expect(found('?errors=1', old, failed, stuck, fine)).toEqual(['failed', 'stuck']);
    expect(found('?older=nonsense', old, fine)).toHaveLength(2);
  });

  test('are the api’s own, so that what is seen is what is ended', () => {
    expect(apiFilterOf(readFilters('?state=ready&profile=p&host=h&older=1h&q= ada '))).toEqual({
      status: 'ready',
      profile: 'p',
      host: 'h',
      olderThanMs: 3_600_000,
      search: 'ada',
    });
    expect(apiFilterOf(readFilters('?errors=1&q=ada'))).toBeUndefined();
    expect([isAny(readFilters('?sort=age')), isAny(readFilters('?q=x'))]).toEqual([true, false]);
  });
});

describe('the order', () => {
  test('is read from the address, written back, and by default newest first', () => {
    expect([readSort(''), readSort('?sort=nonsense')]).toEqual([DEFAULT_SORT, DEFAULT_SORT]);
    expect(writeSort(DEFAULT_SORT)).toBe('');
    expect(writeSort(readSort('?sort=-cpu'))).toBe('-cpu');
    const older = session('older', { assignedAt: new Date(NOW - 90_000).toISOString() });
    const order = (query: string, ...sessions: LiveSession[]): string[] =>
      sortSessions(sessions, readSort(query)).map(({ sessionId }) => sessionId);
    expect(order('', older, session('newer'))).toEqual(['newer', 'older']);
    expect(order('?sort=-age', session('newer'), older)).toEqual(['older', 'newer']);
  });

  test('has what is not known at the end, whichever way', () => {
    const busy = session('busy', { cpuPercent: 90 });
    const idle = session('idle', { cpuPercent: 1 });
    const unknown = session('unknown');
    for (const [query, expected] of [
      ['?sort=cpu', ['idle', 'busy', 'unknown']],
      ['?sort=-cpu', ['busy', 'idle', 'unknown']],
    ] as const) {
      expect(sortSessions([unknown, busy, idle], readSort(query)).map(({ sessionId }) => sessionId)).toEqual(
        expected,
      );
    }
  });

  test('a caller who got a warm agent has waited for none', () => {
    expect(startMsOf(session('warm', { prewarmed: true, startupTime: 900 }))).toBe(0);
    expect(startMsOf(session('idle', { prewarmed: true, assignedAt: null, startupTime: 900 }))).toBe(900);
    expect(startMsOf(session('cold', { startupTime: 900 }))).toBe(900);
  });
});
