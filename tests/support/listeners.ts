import { writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JoinDetails } from '@greenroom/contracts';
import { startProcess, type TestStack } from '@greenroom/test-kit';

const PROGRAM = fileURLToPath(new URL('../fixtures/callers/listens-to-many.mjs', import.meta.url));

const FIRST = -15;

/** A time without sound: when it ended (ms since 1970) and how long it was. */
export interface Gap {
  readonly endedAt: number;
  readonly ms: number;
}

export interface Listeners {
  /** They hang up. @returns the gaps that each of them heard */
  hangUp(): Promise<Gap[][]>;
}

/** Callers who listen, in a process of their own; resolves when each of them hears its agent. */
export async function startListeners(
  stack: TestStack,
  joins: readonly Pick<JoinDetails, 'livekitUrl' | 'token'>[],
): Promise<Listeners> {
  const file = join(stack.stateDir, 'joins.json');
  await writeFile(file, JSON.stringify(joins.map(({ livekitUrl, token }) => ({ livekitUrl, token }))));
  const callers = await startProcess({
    name: 'callers',
    command: process.execPath,
    args: [PROGRAM, file],
    readyWhen: { line: /^all hear$/ },
    timeoutMs: 45_000,
  });
  for (const pid of [callers.pid, stack.livekit.pid]) putFirst(pid);
  return {
    async hangUp() {
      callers.signal('SIGTERM');
      const line = await callers.waitForLine(/^\[/);
      await callers.stop();
      return JSON.parse(line);
    },
  };
}

/**
 * In life callers and LiveKit have machines of their own. Here they must not be measured by what they lack when agents and
 * services use the whole of this one; where we may not, they compete.
 */
function putFirst(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      setPriority(Number(thread), FIRST);
    } catch {
      return;
    }
  }
}

/** The longest gap of any caller that ended in this time. */
export function longestGap(gaps: readonly Gap[][], from: number, to: number): number {
  const within = gaps.flat().filter(({ endedAt }) => endedAt >= from && endedAt <= to);
  return Math.max(0, ...within.map(({ ms }) => ms));
}
