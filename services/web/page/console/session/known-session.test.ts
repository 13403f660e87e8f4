import { expect, test } from '@jest/globals';
import { ApiProblem } from '../../shared/ask.js';
import { afterFailure, isPassing, type KnownSession } from './known-session.js';

const problem = (status: number): ApiProblem => new ApiProblem('why', 'code', status, undefined, {});
const shown = { kind: 'live' } as KnownSession;

test.each([0, 429, 500, 503])(
  'while nobody answers (%d) what is known is shown, and asked for again',
  (status) => {
    expect(afterFailure(shown, problem(status))).toBe(shown);
    expect(isPassing(problem(status))).toBe(true);
  },
);

test('of what was never known, and of what is gone, the page says why', () => {
  expect(afterFailure({ kind: 'loading' }, problem(503))).toEqual({ kind: 'unknown', why: 'why' });
  expect(afterFailure(shown, problem(404))).toEqual({ kind: 'unknown', why: 'why' });
  expect(isPassing(problem(404))).toBe(false);
});
