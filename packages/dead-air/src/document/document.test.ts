import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { renderBoundsTable } from './bounds-table.js';
import { renderSettingsTable } from './settings-table.js';
import { renderTransitionTable } from './transition-table.js';

const page = readFileSync(new URL('../../../../docs/dead-air.md', import.meta.url), 'utf8');

describe('docs/dead-air.md is what npm run docs makes of the code', () => {
  it.each([
    ['settings', renderSettingsTable()],
    ['bounds', renderBoundsTable()],
    ['transitions', renderTransitionTable()],
  ])('%s', (marker, content) => {
    expect(page).toContain(`<!-- ${marker} -->\n${content}<!-- /${marker} -->`);
  });
});
