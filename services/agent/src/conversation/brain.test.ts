import { describe, expect, test } from '@jest/globals';
import { answer, greet, NOT_UNDERSTOOD, type Situation } from './brain.js';
import { UNCLEAR } from './commands.js';

const situation: Situation = {
  callerName: 'Ada',
  now: new Date(2026, 6, 4, 15, 5),
  lastReply: 'It is noon.',
};

describe('answer', () => {
  test.each([
    ['what time is it', 'It is 3:05 PM.'],
    ['what day is it', 'Today is Saturday, July 4, 2026.'],
    ['repeat that', 'It is noon.'],
    ['what is my name', 'Your name is Ada.'],
  ])('to "%s"', (heard, text) => {
    expect(answer(heard, situation)).toEqual({ text, then: 'listen' });
  });

  test('to goodbye is a farewell, and the end', () => {
    expect(answer('goodbye', situation)).toEqual({
      text: expect.stringContaining('Goodbye, Ada.'),
      then: 'end',
    });
  });

  test.each([UNCLEAR, 'buy me a house', ''])('to "%s" says what can be asked', (heard) => {
    expect(answer(heard, situation)).toEqual({ text: NOT_UNDERSTOOD, then: 'listen' });
  });

  test('does without a name and without a past', () => {
    const stranger = { ...situation, callerName: '', lastReply: undefined };
    expect(answer('what is my name', stranger).text).toMatch(/do not know your name/);
    expect(answer('repeat that', stranger).text).toMatch(/not said anything/);
    expect(greet('')).toMatch(/^Hello\. /);
  });
});
