import { describe, expect, test } from '@jest/globals';
import { findIntent, normalizeWords, PHRASES } from './commands.js';

describe('findIntent', () => {
  test.each(Object.entries(PHRASES))('every phrase of %s is understood as that', (intent, phrases) => {
    for (const phrase of phrases) expect([phrase, findIntent(phrase)]).toEqual([phrase, intent]);
  });

  test.each([
    ["What's the time, please?", 'time'],
    ['Um, could you repeat that?', 'repeat'],
    ['OKAY. Good-bye!', 'goodbye'],
    ['What’s my name?', 'name'],
    // The longest phrase says it best.
    ['hello, tell me a story', 'story'],
  ])('finds the phrase in "%s"', (text, intent) => {
    expect(findIntent(text)).toBe(intent);
  });

  test.each(['', 'I would like a pizza', 'timely waiter', 'goodbyes'])('finds none in "%s"', (text) => {
    expect(findIntent(text)).toBeUndefined();
  });
});

test('phrases are written as texts are normalized, or they would never match', () => {
  for (const phrase of Object.values(PHRASES).flat()) expect(normalizeWords(phrase)).toBe(phrase);
});
