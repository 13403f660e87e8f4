import { chown, mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  type ProcessFacts,
  processesWithEnvironment,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
  type TestStack,
} from '@greenroom/test-kit';

const SPAWNER = fileURLToPath(new URL('../../services/spawner/dist/main.js', import.meta.url));

/** "nobody", as far as it concerns us: a user who owns nothing here. */
export const ORDINARY_USER = 65_534;
/** In front of a command line: run it as that user. */
export const AS_ORDINARY_USER = [
  'setpriv',
  `--reuid=${ORDINARY_USER}`,
  `--regid=${ORDINARY_USER}`,
  '--clear-groups',
] as const;

export interface WrappedSpawner extends RunningProcess {
  readonly url: string;
  readonly stateDir: string;
  /** Living processes of its agents. */
  agentProcesses(): ProcessFacts[];
}

/**
 * A spawner of the stack's deployment under another program: as another user, or in a namespace of its own. Its state
 * directory belongs to an ordinary user and lies where that user may go.
 */
export async function startWrappedSpawner(
  stack: TestStack,
  wrapper: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: { readyWhen?: ProcessOptions['readyWhen']; stateDir?: string } = {},
): Promise<WrappedSpawner> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stateDir = options.stateDir ?? (await mkdtemp('/tmp/greenroom-wrapped-'));
  await chown(stateDir, ORDINARY_USER, ORDINARY_USER);
  const [command, ...args] = [...wrapper, process.execPath, SPAWNER];
  const spawner = await startProcess({
    name: 'wrapped spawner',
    command,
    args,
    env: {
      ...stack.env,
      HOST_ID: 'wrapped-host',
      SPAWNER_PORT: String(port),
      STATE_DIR: stateDir,
      HOME: stateDir,
      ...env,
    },
    readyWhen: options.readyWhen ?? { url: `${url}/readyz` },
  });
  return {
    ...spawner,
    url,
    stateDir,
    agentProcesses: () => processesWithEnvironment(`${stateDir}/events`),
    async stop() {
      const exit = await spawner.stop({ graceMs: 20_000 });
      await rm(stateDir, { recursive: true, force: true });
      return exit;
    },
  };
}
