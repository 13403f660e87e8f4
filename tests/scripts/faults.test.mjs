import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTempDir } from '@greenroom/test-kit';
import {
  chooseRows,
  findFlaws,
  readCatalogue,
  renderFaultTable,
} from '../../scripts/lib/faults/catalogue.mjs';
import { readFaultOptions } from '../../scripts/lib/faults/options.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';

describe('the catalogue of faults', () => {
  const rows = readCatalogue();

  test.each(rows.map((row) => [`${row.topic}: ${row.fault}`, row]))(
    '%s names a test and a mutation',
    (_name, row) => {
      expect(findFlaws(row)).toEqual([]);
    },
  );

  test('docs/operations.md has its rows, and no others', () => {
    const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const [, table] = /<!-- faults -->\n([\s\S]*)<!-- \/faults -->/.exec(page) ?? [];
    // When this fails: npm run docs.
    expect(table).toBe(renderFaultTable(rows));
  });

  test('no fault stands there twice', () => {
    const faults = rows.map(({ fault }) => fault);
    expect(new Set(faults).size).toBe(faults.length);
  });
});

describe('a row', () => {
  let folder;
  const good = {
    fault: 'a',
    happens: 'b',
    within: 'c',
    test: { file: 'x.test.ts', name: "a block it's a test" },
    mutation: { file: 'x.ts', find: 'one $& two', replace: 'three' },
  };
  beforeAll(async () => {
    folder = await makeTempDir('catalogue');
    writeFileSync(
      join(folder.path, 'x.test.ts'),
      "describe('a block', () => { test('it\\'s a test'); test.each(['apples'])('%s are good to eat') })",
    );
    writeFileSync(join(folder.path, 'x.ts'), 'one $& two; twice twice');
    mkdirSync(join(folder.path, 'tests/faults'), { recursive: true });
    const write = (topic, list) =>
      writeFileSync(join(folder.path, 'tests/faults', `${topic}.faults.json`), JSON.stringify(list));
    write('b', [good, good]);
    write('a', [good]);
  });
  afterAll(() => folder.remove());

  test.each([
    ['is good', {}, []],
    ['names one of many', { test: { file: 'x.test.ts', name: 'apples are good to eat' } }, []],
    ['has no words', { happens: ' ' }, ['has no happens']],
    ['names no test', { test: {} }, ['names no test']],
    [
      'names a file that is not there',
      { test: { file: 'y', name: 'a' } },
      ["its test's file y does not exist"],
    ],
    [
      'names a test that is not there',
      { test: { file: 'x.test.ts', name: 'a c' } },
      ['x.test.ts has no test “a c”'],
    ],
    [
      'mutates nothing',
      { mutation: { ...good.mutation, replace: 'one $& two' } },
      ['its mutation changes nothing'],
    ],
    [
      'mutates what is not there once',
      { mutation: { ...good.mutation, find: 'twice' } },
      ['what its mutation looks for is 2 times in x.ts, not once'],
    ],
  ])('that %s is told so', (_what, change, flaws) => {
    expect(findFlaws({ ...good, ...change }, folder.path)).toEqual(flaws);
  });

  test('is chosen by its topic or its number', () => {
    const rows = readCatalogue(folder.path);
    expect(rows.map((row) => `${row.number}${row.topic}`)).toEqual(['1a', '2b', '3b']);
    const numbersOf = (...chosen) => chooseRows(rows, chosen).map((row) => row.number);
    expect(numbersOf()).toEqual([1, 2, 3]);
    expect(numbersOf('b')).toEqual([2, 3]);
    expect(numbersOf('3', 'a')).toEqual([1, 3]);
    expect(() => numbersOf('c')).toThrow('no topic and no number c');
  });
});

test('test:faults takes rounds or mutations, and refuses what it does not know', () => {
  const plain = { mayInstall: true, times: 1, mutate: false, chosen: [] };
  expect(readFaultOptions([])).toEqual(plain);
  expect(readFaultOptions(['--times', '5', '--no-install'])).toEqual({
    ...plain,
    times: 5,
    mayInstall: false,
  });
  expect(readFaultOptions(['--mutate', 'redis', '7'])).toEqual({
    ...plain,
    mutate: true,
    chosen: ['redis', '7'],
  });
  expect(readFaultOptions(['--times', 'many']).mistake).toContain('whole number');
  expect(readFaultOptions(['redis']).mistake).toContain('does not know redis');
  expect(readFaultOptions(['--help']).help).toContain('--mutate');
});
