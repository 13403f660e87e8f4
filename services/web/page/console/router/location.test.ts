import { expect, test } from '@jest/globals';
import { PATHS, pageAt } from './location.js';

test.each([
  ['/console', { name: 'now' }],
  ['/console/', { name: 'now' }],
  ['/console/hosts', { name: 'hosts' }],
  ['/console/charts', { name: 'charts' }],
  [PATHS.session('session_a-b_1'), { name: 'session', sessionId: 'session_a-b_1' }],
  ['/console/session/%E0%A4%A', { name: 'session', sessionId: '%E0%A4%A' }],
  ['/console/session', { name: 'unknown' }],
  ['/console/hosts/x', { name: 'unknown' }],
  ['/console/other', { name: 'unknown' }],
])('%s', (path, page) => {
  expect(pageAt(path)).toEqual(page);
});
