#!/usr/bin/env node
// What `greenroom` on PATH is. In a checkout the launcher runs, which builds what has changed and finds the Greenroom that
// `npm start` runs there; elsewhere the command itself.
import { existsSync } from 'node:fs';

const launcher = new URL('../../../scripts/greenroom.mjs', import.meta.url);
await import(existsSync(launcher) ? launcher.href : new URL('../dist/main.js', import.meta.url).href);
