import { expect, test } from '@jest/globals';
import { VARIABLE_NAMES } from './environment.js';
import { editDistance, findNearMiss } from './near-miss.js';

test.each([
  ['POOL_TARGTE', 'POOL_TARGET'],
  ['POOLTARGET', 'POOL_TARGET'],
  ['REDIS_URI', 'REDIS_URL'],
  ['MAX_SESSION', 'MAX_SESSIONS'],
  ['SESSION_TIMEOUT_MS', 'SESSION_TIMEOUT'],
  ['LEAVE_GRACE_SECONDS', 'LEAVE_GRACE'],
  ['HISTORY_RETENTION', 'HISTORY_RETENTION_DAYS'],
  ['LOG_RETENTION_HOURS', 'LOG_RETENTION_DAYS'],
  ['TRANSCRIPT_RETENTION_DAYS', 'TRANSCRIPT_RETENTION'],
  ['MEMORY_LOW_WATER', 'MEMORY_LOW_WATER_MB'],
  ['admin_token', 'ADMIN_TOKEN'],
])('%s was probably meant to be %s', (name, meant) => {
  expect(findNearMiss(name, VARIABLE_NAMES)).toBe(meant);
});

test.each([
  'HOME',
  'HOSTNAME',
  'HOST_IP',
  'PATH',
  'POST',
  'SHELL',
  'WEB_HOST',
  'POOL_SIZE',
  'LOG_MAX_MB',
  'PORT',
  'API_URL',
])('%s is left alone', (name) => {
  expect(findNearMiss(name, VARIABLE_NAMES)).toBeUndefined();
});

test('a swap of neighbours is one edit', () => {
  expect(editDistance('abcd', 'abdc')).toBe(1);
  expect(editDistance('abc', '')).toBe(3);
});
