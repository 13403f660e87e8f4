import type { PoolPolicy } from '@greenroom/contracts';
import { expect, test } from '@jest/globals';
import { effectOf, formOf, policyOf } from './policy-form.js';

const POLICIES: PoolPolicy[] = [
  { kind: 'fixed', size: 3 },
  { kind: 'buffer', size: '20%', min: 1, max: 9 },
  { kind: 'buffer', size: 2, min: 0, max: 4 },
  { kind: 'rate', safety: 2.5, min: 0, max: 20, windowSeconds: 600 },
  {
    kind: 'schedule',
    timeZone: 'Europe/Vienna',
    base: 1,
    entries: [
      { cron: '0 8 * * 1-5', size: 5, forSeconds: 3_600 },
      { cron: '0 18 * * *', size: 2 },
    ],
  },
];

test.each(POLICIES)('a policy that nobody has touched is sent back as it was: %j', (policy) => {
  expect(policyOf(formOf(policy, 3))).toEqual(policy);
});

test.each([
  [0, /^There will be 3 warm agents at all times/],
  [1, /for 20% more callers than there are, never fewer than 1 nor more than 9;/],
  [2, /for 2 more callers, never fewer than 0 nor more than 4;/],
  [3, /as the arrivals of the last 600 s need, never fewer than 0 nor more than 20;/],
  [4, /^There will be a base of 1, or as many warm agents as the entry in force says/],
])('what will come of policy %d is said before it is set', (index, words) => {
  const policy = POLICIES[index];
  if (!policy) throw new Error('no such policy');
  expect(effectOf(formOf(policy, 3))).toMatch(words);
});
