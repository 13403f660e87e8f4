import { fileURLToPath } from 'node:url';
import {
  freePort,
  makeTempDir,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
  type TestStack,
} from '@greenroom/test-kit';

const SPAWNER = fileURLToPath(new URL('../../services/spawner/dist/main.js', import.meta.url));

/** Another host of the stack's deployment: a spawner with its own name, port and state directory. */
export async function startSecondSpawner(
  stack: TestStack,
  env: Readonly<Record<string, string>> = {},
  readyWhen?: ProcessOptions['readyWhen'],
): Promise<RunningProcess> {
  const port = await freePort();
  const stateDir = await makeTempDir('second-state');
  const spawner = await startProcess({
    name: 'second spawner',
    command: process.execPath,
    args: [SPAWNER],
    env: {
      ...stack.env,
      HOST_ID: 'second-host',
      SPAWNER_PORT: String(port),
      STATE_DIR: stateDir.path,
      ...env,
    },
    readyWhen: readyWhen ?? { url: `http://127.0.0.1:${port}/readyz` },
  });
  return {
    ...spawner,
    async stop() {
      const exit = await spawner.stop({ graceMs: 20_000 });
      await stateDir.remove();
      return exit;
    },
  };
}
