// The catalogue of faults: tests/faults/*.faults.json, a row for each fault. It is what `--mutate` walks through and what
// the table in docs/operations.md is made from.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.mjs';
import { SetupError } from '../ui.mjs';

const FOLDER = 'tests/faults';
const ENDING = '.faults.json';
const QUOTES = ["'", '"', '`'];

/** Every row in its order, with its `topic` and its `number` from 1. */
export function readCatalogue(root = ROOT) {
  const files = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith(ENDING));
  return files
    .sort()
    .flatMap((name) => {
      const rows = JSON.parse(readFileSync(join(root, FOLDER, name), 'utf8'));
      return rows.map((row) => ({ ...row, topic: name.slice(0, -ENDING.length) }));
    })
    .map((row, index) => ({ ...row, number: index + 1 }));
}

/** Those of the chosen topics and numbers; all when nothing is chosen. @throws SetupError for one that there is not */
export function chooseRows(rows, chosen) {
  const unknown = chosen.find((it) => !rows.some((row) => isMeant(row, it)));
  if (unknown !== undefined)
    throw new SetupError(`There is no topic and no number ${unknown} in the catalogue.`);
  return chosen.length === 0 ? rows : rows.filter((row) => chosen.some((it) => isMeant(row, it)));
}

function isMeant(row, chosen) {
  return row.topic === chosen || String(row.number) === chosen;
}

/** What is wrong with a row, in a sentence each: nothing in a good one. */
export function findFlaws(row, root = ROOT) {
  const missing = ['fault', 'happens', 'within'].filter((field) => !isText(row[field]));
  const flaws = missing.map((field) => `has no ${field}`);
  const { test, mutation } = row;
  if (!isText(test?.file) || !isText(test?.name)) flaws.push('names no test');
  else flaws.push(...flawsOfTest(test, root));
  if (![mutation?.file, mutation?.find].every(isText) || typeof mutation?.replace !== 'string')
    flaws.push('names no mutation');
  else flaws.push(...flawsOfMutation(mutation, root));
  return flaws;
}

function flawsOfTest({ file, name }, root) {
  if (!existsSync(join(root, file))) return [`its test's file ${file} does not exist`];
  const text = readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'");
  return standsIn(text, name) || isMadeFromTemplate(text, name) ? [] : [`${file} has no test “${name}”`];
}

/** The full name of a test is put together from those of its blocks: where one ends in the text, the next begins. */
function standsIn(text, name, before = ['']) {
  if (before.some((quote) => text.includes(quote + name))) return true;
  const spaces = [...name.matchAll(/ /g)].map((match) => match.index);
  return spaces.some((at) => {
    const block = name.slice(0, at);
    const isBlock = before.some((quote) => QUOTES.some((end) => text.includes(quote + block + end)));
    return isBlock && standsIn(text, name.slice(at + 1), QUOTES);
  });
}

/** A test of `test.each` has values in its title: then the name is put together from a few pieces of the file. */
function isMadeFromTemplate(text, name) {
  if (!text.includes('.each(')) return false;
  let left = name;
  for (let pieces = 0; pieces < name.length / PIECE && left !== ''; pieces += 1) {
    let length = left.length;
    while (length > 0 && !text.includes(left.slice(0, length))) length -= 1;
    left = left.slice(length);
  }
  return left === '';
}

/** Any name can be put together from single letters. */
const PIECE = 8;

function flawsOfMutation({ file, find, replace }, root) {
  if (!existsSync(join(root, file))) return [`its mutation's file ${file} does not exist`];
  if (find === replace) return ['its mutation changes nothing'];
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  return times === 1 ? [] : [`what its mutation looks for is ${times} times in ${file}, not once`];
}

function isText(value) {
  return typeof value === 'string' && value.trim() !== '';
}

/** The table of docs/operations.md. */
export function renderFaultTable(rows) {
  const lines = rows.map(({ number, fault, happens, within, test, mutation }) =>
    [number, fault, happens, within, `\`${test.file}\`: ${test.name}`, nameMutation(mutation)].map(cell),
  );
  const head = ['#', 'fault', 'what happens', 'how long', 'test', 'seen to fail when'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function nameMutation({ file, find, replace }) {
  const before = inCode(find);
  return replace.trim() === ''
    ? `${before} is left out of \`${file}\``
    : `${before} is ${inCode(replace)} in \`${file}\``;
}

const SHORT = 70;

function inCode(text) {
  const line = text.trim().replace(/\s+/g, ' ');
  const short = line.length > SHORT ? `${line.slice(0, SHORT - 1)}…` : line;
  return short.includes('`') ? `\`\` ${short} \`\`` : `\`${short}\``;
}

function cell(content) {
  return String(content).replaceAll('|', '\\|').replace(/\s+/g, ' ');
}
