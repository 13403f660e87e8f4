import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { renderCommands, renderExitCodes } from './document.js';
import { EXIT, EXIT_MEANINGS } from './exit-codes.js';

const docs = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

test('docs/cli.md says what the command says of itself (npm run docs writes it)', () => {
  expect(between('commands')).toBe(renderCommands());
  expect(between('exit-codes')).toBe(renderExitCodes());
});

test('every command has its place in it, and no secret is an option', () => {
  const titles = [...docs.matchAll(/^### (greenroom .+)$/gm)].map(([, title]) => title);
  const commands = [
    'ps',
    'show',
    'logs',
    'end',
    'pool',
    'pool resize',
    'pool policy',
    'hosts',
    'host lost',
    'drain',
    'undrain',
    'call',
    'doctor',
    'completion',
  ];
  expect(titles).toEqual(commands.map((name) => `greenroom ${name}`));
  expect(docs).not.toMatch(/^ +--\S*(token|key|secret|password)/m);
});

test('exit codes are only ever added to', () => {
  expect(EXIT).toMatchObject({
    done: 0,
    failed: 1,
    usage: 2,
    refused: 3,
    notJoined: 4,
    noAgent: 5,
    notFound: 6,
    unauthorized: 7,
    interrupted: 130,
  });
  expect(Object.keys(EXIT_MEANINGS).map(Number)).toEqual(Object.values(EXIT));
});

function between(marker: string): string | undefined {
  return new RegExp(`<!-- ${marker} -->\\n([\\s\\S]*)<!-- /${marker} -->`).exec(docs)?.[1];
}
