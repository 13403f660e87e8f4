import { expect, test } from '@jest/globals';
import { wordsOf } from './typed-words.js';

test.each([
  ['Tell me a story, please!', 'Tell me a story, please!'],
  ['  two\nlines\u0000\u001b[2J ', 'two lines [2J'],
  [' \n\t', ''],
  ['', ''],
])('%j is heard as %j', (typed, heard) => {
  expect(wordsOf(typed)).toBe(heard);
});

test('a flood of text is heard up to its bound', () => {
  expect(wordsOf('word '.repeat(1_000_000)).length).toBeLessThanOrEqual(2_000);
});
