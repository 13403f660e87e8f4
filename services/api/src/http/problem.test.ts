import { readFile } from 'node:fs/promises';
import { CodedError, ERRORS } from '@greenroom/contracts';
import { RedisScriptError, RedisUnavailableError } from '@greenroom/redis-schema';
import { expect, test } from '@jest/globals';
import { problemType, toCodedError } from './problem.js';

test('docs/errors.md lists exactly the errors of the contract, with their status and whether to retry', async () => {
  const page = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \| (yes|no) \| .{20,} \|$/gm)].map(
    ([, code, status, retry]) => [code, Number(status), retry === 'yes'],
  );
  const listed = Object.entries(ERRORS).map(([code, { status, retryable }]) => [code, status, retryable]);
  expect(documented).toEqual(listed);
});

test.each([
  [new CodedError('user_busy'), 'user_busy'],
  [new RedisUnavailableError('x'), 'redis_unavailable'],
  [new RedisScriptError('x'), 'internal'],
  [new URIError('x'), 'not_found'],
  [new TypeError('x'), 'internal'],
  [Object.assign(new Error('x'), { type: 'entity.too.large' }), 'payload_too_large'],
  [Object.assign(new Error('x'), { type: 'constructor' }), 'internal'],
  ['a thrown string', 'internal'],
  [null, 'internal'],
])('%s becomes a known error', (error, code) => {
  expect(toCodedError(error).code).toBe(code);
});

test('the type of an error is stable', () => {
  expect(problemType('user_busy')).toBe('urn:greenroom:error:user_busy');
});
