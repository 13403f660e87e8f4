import type { PoolPolicy } from '@greenroom/contracts';
import { expect, test } from '@jest/globals';
import { formOf, policyOf } from './policy-form.js';

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
