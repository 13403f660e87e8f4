import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './paths.mjs';

/** As it stands in YAML and in JSON, not in a comment. Whether the file is right, the spawner says. */
const REFERENCE_AGENT = /^[^#\n]*\bagent["']?\s*:\s*["']?reference\b/m;

/** Whether any profile runs the agent that comes with Greenroom, and wants the programs with which it speaks and listens. */
export function runsReferenceAgent({ PROFILES_FILE: file, AGENT_COMMAND: command }) {
  if (file === undefined) return command === undefined;
  try {
    return REFERENCE_AGENT.test(readFileSync(resolve(ROOT, file), 'utf8'));
  } catch {
    return false;
  }
}
