import { describe, expect, test } from '@jest/globals';
import type { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import { pickById, shortIds } from './find-session.js';

const IDS = [
  'session_aaaa1111xxxxxxxxxxxxxxxx',
  'session_aaaa2222xxxxxxxxxxxxxxxx',
  'prewarm_bbbb3333xxxxxxxxxxxxxxxx',
];
const [first = '', second = '', third = ''] = IDS;

describe('an id may be typed', () => {
  test.each([first, 'session_aaaa1', 'aaaa1'])('as %s', (typed) => {
    expect(pickById(IDS, typed)).toBe(first);
  });

  test('by its kind, where it is the only one', () => {
    expect(pickById(IDS, 'prewarm')).toBe(third);
  });

  test('but never as the beginning of two', () => {
    expect(() => pickById(IDS, 'aaaa')).toThrow(`aaaa is the beginning of 2 ids: ${first}, ${second}.`);
    let exitCode: unknown;
    try {
      pickById(IDS, 'session_');
    } catch (error) {
      exitCode = (error as CliError).exitCode;
    }
    expect(exitCode).toBe(EXIT.usage);
  });

  test('and is nobody elsewhere, also not in its middle', () => {
    expect(pickById(IDS, '1111')).toBeUndefined();
    expect(pickById([], 'session_')).toBeUndefined();
  });
});

describe('ids are shown', () => {
  test('as short as they may be typed, all equally long, and each finds its session', () => {
    const short = shortIds(IDS);
    expect([...short.values()]).toEqual(['session_aaaa1', 'session_aaaa2', 'prewarm_bbbb3']);
    for (const [id, text] of short) expect(pickById(IDS, text)).toBe(id);
  });

  test('with four random characters at least', () => {
    expect(shortIds([third]).get(third)).toBe('prewarm_bbbb');
  });

  test('also where the same random characters stand behind both kinds of id', () => {
    const both = ['session_cccc0000', 'prewarm_cccc0000'];
    expect(shortIds(both).size).toBe(2);
  });
});
