import { expect, test } from '@jest/globals';
import { poolPolicySchema } from './pool-policy-schema.js';

function check(policy: unknown): { value?: unknown; problems?: string[] } {
  const { error, value } = poolPolicySchema.validate(policy, { abortEarly: false, convert: false });
  return error ? { problems: error.details.map(({ message }) => message) } : { value };
}

test.each([
  [{ kind: 'fixed', size: 3 }, {}],
  [{ kind: 'buffer', size: 5, max: 10 }, { min: 0 }],
  [{ kind: 'buffer', size: '20%', min: 2, max: 10 }, {}],
  [
    { kind: 'rate', max: 20 },
    { safety: 3, min: 1, windowSeconds: 300 },
  ],
  [
    { kind: 'schedule', entries: [{ cron: '0 8 * * 1-5', size: 4, forSeconds: 60 }] },
    { timeZone: 'UTC', base: 0 },
  ],
])('%j is a policy, and what it leaves out is filled in', (policy, filledIn) => {
  expect(check(policy)).toEqual({ value: { ...policy, ...filledIn } });
});

test.each([
  [{}, '"kind" is required'],
  [{ kind: 'magic' }, '"kind" must be one of [fixed, buffer, rate, schedule]'],
  [{ kind: 'fixed' }, '"size" is required'],
  [{ kind: 'fixed', size: 1001 }, '"size" must be less than or equal to 1000'],
  [{ kind: 'fixed', size: 1, min: 2 }, '"min" is not allowed'],
  [{ kind: 'buffer', size: '20', min: 0, max: 3 }, '"size" must be a number, or per cent such as "20%"'],
  [{ kind: 'buffer', size: -1, max: 3 }, '"size" must be greater than or equal to 0'],
  [{ kind: 'buffer', size: 1, min: 4, max: 3 }, '"max" must not be less than min'],
  [{ kind: 'rate' }, '"max" is required'],
  [{ kind: 'rate', max: 3, windowSeconds: 0 }, '"windowSeconds" must be greater than or equal to 1'],
  [{ kind: 'schedule', entries: [] }, '"entries" must contain at least 1 items'],
  [
    { kind: 'schedule', entries: [{ cron: '61 * * * *', size: 1 }] },
    '"entries[0].cron" is no cron expression: Invalid value for minute: 61',
  ],
  [{ kind: 'schedule', entries: [{ cron: '0 0 31 2 *', size: 1 }] }, '"entries[0].cron" never fires'],
  [
    { kind: 'schedule', entries: [{ cron: '\u0000{x} * * * *', size: 1 }] },
    expect.stringMatching(/^"entries\[0\]\.cron" is no cron expression: [^{}\0]+$/),
  ],
  ...['@yearly', '2030-01-01T00:00:00', '2030-01-01 00:00:00', '* * * *', '0 0 0 1 1 * 2030'].map(
    (cron): [object, string] => [
      { kind: 'schedule', entries: [{ cron, size: 1 }] },
      '"entries[0].cron" is no cron expression: it has five fields, or six with seconds first, such as "0 8 * * 1-5"',
    ],
  ),
  [
    { kind: 'schedule', timeZone: 'Europe/Atlantis', entries: [{ cron: '* * * * *', size: 1 }] },
    '"timeZone" is no time zone; it takes names like Europe/Vienna',
  ],
])('%j is none: %s', (policy, problem) => {
  expect(check(policy)).toEqual({ problems: [problem] });
});
