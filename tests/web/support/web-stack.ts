import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  freePort,
  type RunningProcess,
  type StackOptions,
  startProcess,
  startStack,
  type TestStack,
} from '@greenroom/test-kit';

const WEB = fileURLToPath(new URL('../../../services/web/dist/main.js', import.meta.url));

export interface WebStack extends TestStack {
  /** Where a browser goes: `${webUrl}/` is the call screen, `${webUrl}/console` the console. */
  readonly webUrl: string;
  readonly web: RunningProcess;
}

/**
 * Redis, LiveKit, api, spawner and the web server, all real. Needs `npm run build` first. Agents are the reference agent unless
 * `agentCommand` says otherwise; starts are not limited unless `env` says so.
 */
export async function startWebStack(options: StackOptions = {}): Promise<WebStack> {
  const stack = await startStack({
    ...options,
    env: { RATE_LIMIT_PER_MINUTE: '1000', ...options.env },
  });
  try {
    const port = await freePort();
    const webUrl = `http://localhost:${port}`;
    const web = await startProcess({
      name: 'web',
      command: process.execPath,
      args: [WEB],
      env: { ...baseEnvironment(), HOST: '::', WEB_PORT: String(port), API_URL: stack.apiUrl },
      readyWhen: { url: `${webUrl}/readyz` },
    });
    return withWeb(stack, web, webUrl);
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** The stack has getters (its services may be started anew), which a copy would freeze. */
function withWeb(stack: TestStack, web: RunningProcess, webUrl: string): WebStack {
  return Object.create(stack, {
    webUrl: { value: webUrl },
    web: { value: web },
    stop: {
      value: async () => {
        await web.stop();
        await stack.stop();
      },
    },
  }) as WebStack;
}
