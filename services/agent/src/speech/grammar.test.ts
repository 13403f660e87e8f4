import { describe, expect, test } from '@jest/globals';
import { PHRASES } from '../conversation/commands.js';
import { readHypothesis, renderDictionary, renderGrammar } from './grammar.js';

test('every word of the grammar has a pronunciation', () => {
  const phrases = Object.values(PHRASES).flat();
  const words = renderGrammar(phrases)
    .split('\n')
    .slice(2)
    .join(' ')
    .match(/(?<![<\w])[a-z_]+(?![\w>])/g);
  const known = new Set(
    renderDictionary(phrases)
      .split('\n')
      .map((line) => line.split(/[ (]/)[0]),
  );
  expect(words?.length).toBeGreaterThan(100);
  expect(words?.filter((word) => word !== 'public' && !known.has(word))).toEqual([]);
});

test('a word without a pronunciation is found before the recognizer chokes on it', () => {
  expect(() => renderDictionary(['open the refrigerator'])).toThrow('no pronunciation of "open"');
  expect(() => renderDictionary(['constructor'])).toThrow('no pronunciation of "constructor"');
});

describe('readHypothesis', () => {
  test.each([
    ['what time is it\n', { kind: 'phrase', words: 'what time is it' }],
    ['ph_aa ph_b ph_k\nhold on\n', { kind: 'phrase', words: 'hold on' }],
    ['ph_aa ph_b\n', { kind: 'other' }],
    ['\n', { kind: 'silence' }],
  ])('%j', (output, hypothesis) => {
    expect(readHypothesis(output)).toEqual(hypothesis);
  });
});
