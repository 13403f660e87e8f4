import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  makeTempDir,
  startProcess,
  waitFor,
} from '../../../packages/test-kit/dist/index.js';

const LISTENER = fileURLToPath(
  new URL('../../../tests/fixtures/callers/listens-to-many.mjs', import.meta.url),
);

/** Real callers in their rooms, each listening to an agent that plays an unbroken tone. */
export async function beginCalls(client, count) {
  const ids = [];
  const joins = [];
  for (let number = 0; number < count; number += 1) {
    const body = { voiceId: 'tone', userName: `caller ${number}` };
    const started = await client.ask('POST', '/api/session/start', [200, 202], body);
    if (started === undefined) throw new Error(`no call could be started: ${client.failures.at(-1)}`);
    ids.push(started.sessionId);
    joins.push({ livekitUrl: started.livekitUrl, token: started.token });
    await waitFor(() => isReady(client, started.sessionId), { timeoutMs: 60_000, intervalMs: 200 });
  }
  const folder = await makeTempDir('calls');
  const file = join(folder.path, 'joins.json');
  writeFileSync(file, JSON.stringify(joins), { mode: 0o600 });
  const listeners = await startProcess({
    name: 'callers',
    command: process.execPath,
    args: [LISTENER, file],
    env: baseEnvironment(),
    readyWhen: { line: /all hear/ },
    timeoutMs: 120_000,
  });
  return {
    ids,
    /** @returns the calls that are not ready any more */
    async findEnded() {
      const ready = await Promise.all(ids.map((id) => isReady(client, id)));
      return ids.filter((_, index) => !ready[index]);
    },
    /** @returns `{endedAt, ms}` of each silence of more than a moment, for each caller */
    async hangUp() {
      listeners.signal('SIGTERM');
      await listeners.exited;
      const line = listeners.output().trim().split('\n').at(-1);
      await folder.remove();
      return JSON.parse(line);
    },
  };
}

async function isReady(client, id) {
  const session = await client.ask('GET', `/api/session/${id}`, [200]);
  return session?.status === 'ready';
}
