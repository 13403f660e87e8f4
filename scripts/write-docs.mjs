// npm run docs: what is written from one source. Needs `npm run build`.
//   .env.example and the configuration table of the README, from the one list of variables
//   docs/cli.md, from what the greenroom command says of itself
//   the tables of docs/dead-air.md, from packages/dead-air, which is asked what it does
//   the table of faults in docs/operations.md, from tests/faults/*.faults.json
import { readFileSync, writeFileSync } from 'node:fs';
import { renderCommands, renderExitCodes } from '../packages/cli/dist/document.js';
import { renderBoundsTable } from '../packages/dead-air/dist/document/bounds-table.js';
import { renderSettingsTable } from '../packages/dead-air/dist/document/settings-table.js';
import { renderTransitionTable } from '../packages/dead-air/dist/document/transition-table.js';
import { renderConfigTable, renderEnvExample } from '../packages/service-kit/dist/config/document.js';
import { readCatalogue, renderFaultTable } from './lib/faults/catalogue.mjs';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('.env.example', root), renderEnvExample());
writeBetweenMarkers('README.md', 'config', renderConfigTable());
writeBetweenMarkers('docs/cli.md', 'commands', renderCommands());
writeBetweenMarkers('docs/cli.md', 'exit-codes', renderExitCodes());
writeBetweenMarkers('docs/operations.md', 'faults', renderFaultTable(readCatalogue()));
writeBetweenMarkers('docs/dead-air.md', 'settings', renderSettingsTable());
writeBetweenMarkers('docs/dead-air.md', 'bounds', renderBoundsTable());
writeBetweenMarkers('docs/dead-air.md', 'transitions', renderTransitionTable());

function writeBetweenMarkers(file, marker, content) {
  const path = new URL(file, root);
  const between = new RegExp(`<!-- ${marker} -->[\\s\\S]*<!-- /${marker} -->`);
  const whole = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    whole.replace(between, () => `<!-- ${marker} -->\n${content}<!-- /${marker} -->`),
  );
}
