import { expect, test } from '@jest/globals';
import { commandNames, loadScript } from './scripts.js';

test.each(commandNames())('%s names its arguments and answers, and never scans keys', (name) => {
  const text = loadScript(name);
  expect(text).toMatch(/^#!lua/);
  expect(text).toMatch(/^-- Args: /m);
  expect(text).toMatch(/^-- Answers: /m);
  expect(text).not.toMatch(/'(KEYS|SCAN|SSCAN|HSCAN|ZSCAN)'/i);
  expect(text).not.toMatch(/@include/);
});
