import { describe, expect, test } from '@jest/globals';
import { END_REASONS, ERRORS } from '@greenroom/contracts';
import { ApiProblem } from '../../shared/ask.js';
import { END_WORDS, UNKNOWN_END, wordsForEnd } from './end-reasons.js';
import { PROBLEM_WORDS, problemFrom } from './problems.js';
import { formatClock, formatSeconds, formatWait } from './times.js';

test('every reason that ends a session has words', () => {
  expect(Object.keys(END_WORDS).sort()).toEqual([...END_REASONS].sort());
  for (const { title, text } of Object.values(END_WORDS)) {
    expect(title.length).toBeLessThan(32);
    expect(text).toMatch(/^[A-Z].*\.$/);
  }
  expect(wordsForEnd('some_later_reason')).toBe(UNKNOWN_END);
  expect(wordsForEnd(undefined)).toBe(UNKNOWN_END);
  expect(wordsForEnd('toString')).toBe(UNKNOWN_END);
});

describe('an error of the api', () => {
  /** What the routes of start, token and session answer, by docs/http-api.md; all of 503 besides. */
  const OF_THIS_PAGE = [
    'invalid_json',
    'invalid_request',
    'unknown_profile',
    'unauthorized',
    'forbidden',
    'session_not_found',
    'session_ended',
    'user_busy',
    'session_not_joinable',
    'payload_too_large',
    'unsupported_media_type',
    'idempotency_mismatch',
    'rate_limited',
    'client_limit',
    'too_many_streams',
    'internal',
    'unreachable',
  ];

  test('that a start or a token may have has words for a caller, which speak of no code, header or Redis', () => {
    const unavailable = Object.entries(ERRORS).flatMap(([code, { status }]) =>
      status === 503 ? [code] : [],
    );
    const without = [...OF_THIS_PAGE, ...unavailable].filter((code) => !Object.hasOwn(PROBLEM_WORDS, code));
    expect(without).toEqual([]);
    const words = Object.values(PROBLEM_WORDS).flat().join(' ');
    expect(words).not.toMatch(/redis|livekit|bearer|header|json|profile|session/i);
  });

  test('says when to try again; one of a later version speaks for itself', () => {
    const limited = new ApiProblem('detail', 'rate_limited', 429, 12_000, {});
    expect(problemFrom(limited, 1_000)).toMatchObject({ title: 'Too many attempts', retryAt: 13_000 });
    const unheard = new ApiProblem('It rains in.', 'roof_leaks', 503, undefined, {});
    expect(problemFrom(unheard, 0)).toEqual({
      code: 'roof_leaks',
      title: 'That did not work',
      text: 'It rains in.',
    });
  });
});

test('times', () => {
  expect([0, 440, 9_940, 12_400, 125_000].map(formatSeconds)).toEqual([
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '12 s',
    '2 min 5 s',
  ]);
  expect([0, 7_900, 750_000, 3_723_000].map(formatClock)).toEqual(['0:00', '0:07', '12:30', '1:02:03']);
  expect([1_000, 12_000, 41_000, 70_000, 200_000].map(formatWait)).toEqual([
    'a few seconds',
    'about 20 seconds',
    'about 50 seconds',
    'about a minute',
    'about 3 minutes',
  ]);
});
