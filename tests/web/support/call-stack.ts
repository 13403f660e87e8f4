import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminSessionView } from '@greenroom/contracts';
import { makeTempDir, waitFor } from '@greenroom/test-kit';
import { agent } from '../../support/agents.js';
import { openBrowser, type TestBrowser } from './browser.js';
import { speakToFile } from './speech.js';
import { startWebStack, type WebStack } from './web-stack.js';

/** Kinds of agent that callers of these tests meet; `default` waits warm. */
const PROFILES = `profiles:
  default:
    agent: reference
  patient:
    agent: reference
    description: Asks whether you are still there
    dead_air_settings: { silence_timeout_normal: 3, disconnect_delay: 20 }
  slow:
    command: ${agent('never-ready.sh')}
    description: Takes its time to get ready
  broken:
    command: ${agent('exits-at-start.sh')}
    description: Never gets ready
`;

export interface CallStack {
  readonly stack: WebStack;
  /** Its microphone asks what time it is, four seconds after it is opened. */
  readonly browser: TestBrowser;
  /** No caller's session is left, whatever became of a test. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** Two places for callers, one warm agent, and a browser whose microphone is spoken into. */
export async function startCallStack(env: Readonly<Record<string, string>> = {}): Promise<CallStack> {
  const dir = await makeTempDir('web-call');
  const profiles = join(dir.path, 'profiles.yaml');
  writeFileSync(profiles, PROFILES);
  const microphoneWav = await speakToFile(join(dir.path, 'question.wav'), 'what time is it');
  const [stack, browser] = await Promise.all([
    startWebStack({
      env: {
        PROFILES_FILE: profiles,
        MAX_SESSIONS: '2',
        POOL_TARGET: '1',
        LEAVE_GRACE: '8',
        SPAWN_ATTEMPTS: '1',
        LISTEN_IN: 'announced',
        ...env,
      },
      webhooks: true,
    }),
    openBrowser({ microphoneWav }),
  ]);
  return {
    stack,
    browser,
    clear: () => endAll(stack),
    async stop() {
      await browser.close();
      await stack.stop();
      await dir.remove();
    },
  };
}

/** Warm agents, which belong to nobody, stay. */
async function endAll(stack: WebStack): Promise<void> {
  const { body } = await stack.request('GET', '/api/sessions');
  for (const { sessionId, prewarmed, assignedAt } of body.sessions as AdminSessionView[])
    if (!prewarmed || assignedAt !== null) await stack.request('POST', '/api/session/end', { sessionId });
  await waitFor(async () => {
    const { capacity, sessions } = (await stack.request('GET', '/api/health')).body;
    return capacity.current === 0 && sessions.queued === 0;
  });
}
