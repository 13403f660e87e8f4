import { describe, expect, test } from '@jest/globals';
import { commandNames, loadScript } from './scripts.js';

test.each(commandNames())('%s names its arguments and answers, and never scans keys', (name) => {
  const text = loadScript(name);
  expect(text).toMatch(/^#!lua/);
  expect(text).toMatch(/^-- Args: /m);
  expect(text).toMatch(/^-- Answers: /m);
  expect(text).not.toMatch(/'(KEYS|SCAN|SSCAN|HSCAN|ZSCAN)'/i);
  expect(text).not.toMatch(/@include/);
});

describe.each(commandNames())('%s, with what it includes,', (name) => {
  // Lua allows 200 in one function. An include costs one: its module.
  test('has far fewer local names than Lua allows', () => {
    expect(topLevelLocals(loadScript(name, true)).length).toBeLessThan(150);
  });

  test('uses no function of a module that it does not include', () => {
    const code = withoutCommentsAndStrings(loadScript(name));
    const defined = new Set(code.match(/^(?:function )?[A-Z]\w*[a-z]\w*\.\w+/gm)?.map(withoutKeyword));
    const used = code.match(/\b[A-Z]\w*[a-z]\w*\.\w+/g) ?? [];
    expect(used.filter((member) => !defined.has(member))).toEqual([]);
  });
});

function topLevelLocals(text: string): string[] {
  const rows = text.match(/^local (?:function )?[\w, ]+/gm) ?? [];
  return rows.flatMap((row) => row.replace(/^local (?:function )?/, '').split(','));
}

function withoutCommentsAndStrings(text: string): string {
  return text.replaceAll(/--.*|'[^'\n]*'/g, '');
}

function withoutKeyword(definition: string): string {
  return definition.replace('function ', '');
}
