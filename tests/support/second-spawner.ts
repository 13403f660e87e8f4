import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  makeTempDir,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
  type TestStack,
} from '@greenroom/test-kit';

const OWN_BUILD = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Another host of the stack's deployment: a spawner with its own name, port and state directory.
 * @param build another checkout, built, that it is of
 */
export async function startSecondSpawner(
  stack: TestStack,
  env: Readonly<Record<string, string>> = {},
  readyWhen?: ProcessOptions['readyWhen'],
  build = OWN_BUILD,
): Promise<RunningProcess> {
  const port = await freePort();
  const stateDir = await makeTempDir('second-state');
  const spawner = await startProcess({
    name: 'second spawner',
    command: process.execPath,
    args: [path.join(build, 'services/spawner/dist/main.js')],
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
