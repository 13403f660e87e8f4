import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_PROJECTS } from '../build.mjs';
import { LOG_DIR, shortPath } from '../paths.mjs';
import { ask } from '../run-step.mjs';
import { runOnce } from '../testing/jest.mjs';
import { say } from '../ui.mjs';
import { findFlaws } from './catalogue.mjs';
import { copyCheckout } from './copy.mjs';

const LOGS = join(LOG_DIR, 'mutations');
const BUILD_LIMIT_MS = 240_000;
/** A mutation may make its test wait for what never comes. */
const TEST_LIMIT_MS = 240_000;

/**
 * Applies the mutation of each row, one at a time, and expects the row's test to fail.
 * @returns counts: a row that was caught has passed
 */
export async function mutateAll(tools, rows) {
  rmSync(LOGS, { recursive: true, force: true });
  mkdirSync(LOGS, { recursive: true });
  const copy = copyCheckout();
  try {
    const plain = await runPlain(tools, rows, copy.root);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const row of rows) {
      const flaw = findFlaws(row, copy.root)[0] ?? plain.flawOf(row);
      const outcome = flaw ? { isCaught: false, text: flaw } : await tryRow(tools, row, copy.root);
      counts[outcome.isCaught ? 'passed' : 'failed'] += 1;
      say(`${outcome.isCaught ? '✓' : '✗'} ${row.number} ${row.topic}: ${row.fault}: ${outcome.text}`);
    }
    return counts;
  } finally {
    copy.remove();
  }
}

/** Every test of these rows on code that is whole: one that fails anyway proves nothing. */
async function runPlain(tools, rows, root) {
  const files = [
    ...new Set(rows.filter((row) => findFlaws(row, root).length === 0).map((row) => row.test.file)),
  ];
  if (files.length === 0) return { flawOf: () => undefined };
  say(`• Faults: ${files.length} files of tests on the code as it is`);
  const { results } = await runLogged('plain', (output) =>
    runOnce(tools, ['--runInBand', '--runTestsByPath', ...files], { root, output }),
  );
  return { flawOf: (row) => flawOfPlain(row, results, root) };
}

function flawOfPlain({ test }, results, root) {
  const ofFile = results?.testResults.find((it) => it.name === join(root, test.file));
  const meant = (ofFile?.assertionResults ?? []).filter(({ fullName }) => fullName.includes(test.name));
  if (meant.length === 0) return `no test “${test.name}” has run; see ${shortPath(logOf('plain'))}`;
  if (meant.some(({ status }) => status !== 'passed'))
    return `its test fails on the code as it is; see ${shortPath(logOf('plain'))}`;
  return undefined;
}

async function tryRow(tools, row, root) {
  const restore = apply(row.mutation, root);
  try {
    const compiled = await compile(root);
    if (!compiled.isWhole)
      return { isCaught: false, text: `mutation does not compile: ${compiled.complaint}` };
    return await judge(tools, row, root);
  } finally {
    restore();
  }
}

function apply({ file, find, replace }, root) {
  const path = join(root, file);
  const original = readFileSync(path, 'utf8');
  // A function, since a `$` in the text is only a `$`.
  writeFileSync(
    path,
    original.replace(find, () => replace),
  );
  return () => writeFileSync(path, original);
}

async function compile(root) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const projects = [...RUNTIME_PROJECTS, 'packages/test-kit'].map((project) => join(root, project));
  const { code, output } = await ask(process.execPath, [tsc, '-b', ...projects], {
    timeoutMs: BUILD_LIMIT_MS,
  });
  return { isWhole: code === 0, complaint: output.trim().split('\n')[0] };
}

async function judge(tools, { number, test }, root) {
  const { results } = await runLogged(String(number), (output) =>
    runOnce(tools, ['--runInBand', '--runTestsByPath', test.file, '-t', quote(test.name)], {
      root,
      output,
      limitMs: TEST_LIMIT_MS,
    }),
  );
  const log = shortPath(logOf(String(number)));
  // Killed for taking too long: whoever waits for this test to pass waits in vain.
  if (results === undefined) return { isCaught: true, text: 'caught (the test did not end)' };
  if (results.numFailedTests > 0) return { isCaught: true, text: 'caught' };
  const why = results.numPassedTests > 0 ? 'the test passes all the same' : 'no test has run';
  return { isCaught: false, text: `NOT CAUGHT: ${why}; see ${log}` };
}

async function runLogged(name, run) {
  const output = openSync(logOf(name), 'w');
  try {
    return await run(output);
  } finally {
    closeSync(output);
  }
}

function logOf(name) {
  return join(LOGS, `${name}.log`);
}

/** jest takes the name as a regular expression. */
function quote(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
