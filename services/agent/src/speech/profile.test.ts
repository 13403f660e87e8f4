import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { VOICES } from './voices.js';

test('profile.json offers exactly the voices that there are', () => {
  const file = new URL('../../profile.json', import.meta.url);
  const { voices } = JSON.parse(readFileSync(file, 'utf8')) as { voices: { id: string }[] };
  expect(voices.map((voice) => voice.id).sort()).toEqual(Object.keys(VOICES).sort());
});
