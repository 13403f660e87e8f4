import { fileURLToPath } from 'node:url';

/** Path of a fixture agent, as AGENT_COMMAND takes it. */
export function agent(name: string): string {
  const file = fileURLToPath(new URL(`../fixtures/agents/${name}`, import.meta.url));
  return name.endsWith('.mjs') ? `${process.execPath} ${file}` : file;
}
