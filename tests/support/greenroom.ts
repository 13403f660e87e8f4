import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  makeTempDir,
  type RunningProcess,
  startProcess,
  type TestStack,
} from '@greenroom/test-kit';

export const CLI = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

type Variables = Readonly<Record<string, string | undefined>>;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it printed as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests reach into answers of many shapes
  json(): any;
}

/** Where the stack is and its token, as an operator's shell has them. */
export function operatorOf(stack: TestStack, more: Variables = {}): Variables {
  return { ...baseEnvironment(), API_URL: stack.apiUrl, ADMIN_TOKEN: stack.adminToken, ...more };
}

/** Runs the real command to its end. */
export function greenroom(args: readonly string[], env: Variables): Promise<Ran> {
  return run('exec "$@" >"$OUT/stdout" 2>"$OUT/stderr"', [process.execPath, CLI, ...args], env);
}

/** On a terminal of so many columns, with `typed` as what somebody types. All that is on it is stdout. */
export function greenroomOnTerminal(
  args: readonly string[],
  env: Variables,
  { columns = 80, typed = '' } = {},
): Promise<Ran> {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const inside = `stty cols ${columns} rows 30; exec ${command}`;
  const script = 'printf "$TYPED" | script -qec "$INSIDE" /dev/null >"$OUT/stdout" 2>"$OUT/stderr"';
  return run(script, [], { ...env, INSIDE: inside, TYPED: typed, TERM: 'xterm', SHELL: '/bin/sh' });
}

/** One that stays: a watch, or a log that is followed. */
export function startGreenroom(args: readonly string[], env: Variables): Promise<RunningProcess> {
  return startProcess({
    name: `greenroom ${args.join(' ')}`,
    command: process.execPath,
    args: [CLI, ...args],
    env,
  });
}

async function run(script: string, args: readonly string[], env: Variables): Promise<Ran> {
  const dir = await makeTempDir('greenroom-cli');
  try {
    const process = await startProcess({
      command: '/bin/sh',
      args: ['-c', script, 'sh', ...args],
      env: { ...env, OUT: dir.path },
    });
    const { code } = await process.exited;
    const [stdout, stderr] = await Promise.all(
      ['stdout', 'stderr'].map((name) => readFile(join(dir.path, name), 'utf8')),
    );
    return {
      code,
      stdout: stdout ?? '',
      stderr: stderr ?? '',
      json: () => JSON.parse(stdout || stderr || ''),
    };
  } finally {
    await dir.remove();
  }
}
