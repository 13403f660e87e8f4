import { fileURLToPath } from 'node:url';
import { baseEnvironment, startProcess } from '@greenroom/test-kit';

const CLI = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** Runs `greenroom call` as a user would, and answers what it said. */
export async function runCall(args: string[], env: Record<string, string>) {
  const call = await startProcess({
    name: 'call',
    command: process.execPath,
    args: [CLI, 'call', ...args],
    env: { ...baseEnvironment(), ...env },
  });
  const { code } = await call.exited;
  return { code, output: call.output() };
}

/** The report that `--json` prints as its last line. */
export function readReport(output: string) {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}
