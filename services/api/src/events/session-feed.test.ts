import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { STEPS_FOR_HOLDERS } from './session-feed.js';

/** Steps that leave a caller where it is, or that it is told in another way. */
const NOT_FOR_HOLDERS = [
  'alarm',
  'attempt_failed',
  'became',
  'caller_joined',
  'caller_left',
  'claimed',
  'dead_air',
  'listener',
  'placed_again',
  'pooled',
  'recovered',
  'spawned',
];

test('of every step it is decided whether a caller is told', () => {
  const commands = new URL('../../../../packages/redis-schema/commands/', import.meta.url);
  const texts = ['', 'includes/'].flatMap((folder) =>
    readdirSync(new URL(folder || '.', commands), { withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ name }) => readFileSync(new URL(folder + name, commands), 'utf8')),
  );
  const steps = texts.flatMap((text) => [...text.matchAll(/\bemit\(\w+, '(\w+)'/g)].map(([, step]) => step));
  expect(steps.length).toBeGreaterThan(15);
  expect(new Set(steps)).toEqual(new Set([...NOT_FOR_HOLDERS, ...STEPS_FOR_HOLDERS]));
});
