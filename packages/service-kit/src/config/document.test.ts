import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { renderConfigTable, renderEnvExample } from './document.js';

const ROOT = new URL('../../../../', import.meta.url);

// `npm run docs` writes both.
test('.env.example lists every variable with its default', async () => {
  expect(await readFile(new URL('.env.example', ROOT), 'utf8')).toBe(renderEnvExample());
});

test('the configuration table of the README is complete', async () => {
  expect(await readFile(new URL('README.md', ROOT), 'utf8')).toContain(renderConfigTable());
});
