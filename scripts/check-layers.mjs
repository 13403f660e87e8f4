// Part of npm run lint: who may import whom, by scripts/lib/layers/rules.mjs. What oxlint can say about a single file
// (child_process, process.kill, process.env, cycles inside a package) is in .oxlintrc.json.
import { resolve } from 'node:path';
import { findLayerBreaks } from './lib/layers/check.mjs';
import { ROOT } from './lib/paths.mjs';

const breaks = findLayerBreaks(resolve(process.argv[2] ?? ROOT));
for (const text of breaks) console.error(`✗ ${text}`);
if (breaks.length > 0) process.exitCode = 1;
