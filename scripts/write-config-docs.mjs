// Writes .env.example and the configuration table of the README from the one list of variables. Needs `npm run build`.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderConfigTable, renderEnvExample } from '../packages/service-kit/dist/config/document.js';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('.env.example', root), renderEnvExample());
const readme = readFileSync(new URL('README.md', root), 'utf8');
writeFileSync(
  new URL('README.md', root),
  readme.replace(
    /<!-- config -->[\s\S]*<!-- \/config -->/,
    `<!-- config -->\n${renderConfigTable()}<!-- /config -->`,
  ),
);
