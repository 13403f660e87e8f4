import { describe, expect, test } from '@jest/globals';
import { isLegalTransition, LEGAL_TRANSITIONS, SESSION_STATES } from './session-state.js';

describe('session states', () => {
  test('nothing leaves ending but gone, and nothing leaves gone', () => {
    expect(LEGAL_TRANSITIONS.ending).toEqual(['gone']);
    expect(LEGAL_TRANSITIONS.gone).toEqual([]);
  });

  test('every live state may go to ending', () => {
    for (const state of SESSION_STATES) {
      if (state === 'ending' || state === 'error' || state === 'gone') continue;
      expect(isLegalTransition(state, 'ending')).toBe(true);
    }
  });

  test('a warm agent is never taken back into the pool from a caller', () => {
    for (const state of SESSION_STATES) {
      expect(isLegalTransition(state, 'pooled')).toBe(state === 'starting');
    }
  });

  test('every state is reachable and every target is a state', () => {
    const reached = new Set(Object.values(LEGAL_TRANSITIONS).flat());
    expect([...SESSION_STATES].filter((state) => !reached.has(state))).toEqual(['queued']);
  });
});
