import { expect, test } from '@jest/globals';
import { toJson } from './terminal.js';

test('what others wrote moves nothing on the terminal as JSON, either, and is the same to a program', () => {
  const value = { line: 'a\u001b[2Jb\u009b2Jc\u007f é' };
  expect(toJson(value)).toBe('{"line":"a\\u001b[2Jb\\u009b2Jc\\u007f é"}');
  expect(JSON.parse(toJson(value))).toEqual(value);
});
