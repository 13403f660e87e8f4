import { fileURLToPath } from 'node:url';
import { baseEnvironment, freePort, startProcess } from '../../../packages/test-kit/dist/index.js';
import { findProgram } from '../find-program.mjs';

/** The very example that we give. */
const CONFIG = fileURLToPath(new URL('../../../infra/haproxy/haproxy.cfg', import.meta.url));

/** A real HAProxy in front of two apis. */
export async function startHaproxy([one, two]) {
  const port = await freePort();
  const running = await startProcess({
    name: 'haproxy',
    command: findProgram('haproxy'),
    args: ['-db', '-f', CONFIG],
    env: {
      ...baseEnvironment(),
      GREENROOM_BIND: `127.0.0.1:${port}`,
      API_1: `127.0.0.1:${one.port}`,
      API_2: `127.0.0.1:${two.port}`,
    },
    readyWhen: { url: `http://127.0.0.1:${port}/livez` },
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => running.stop({ signal: 'SIGKILL' }) };
}
