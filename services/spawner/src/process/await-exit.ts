import { setTimeout } from 'node:timers/promises';
import { checkIdentity, type ProcessIdentity } from './identity.js';
import type { ProcessExit } from './launch.js';

const POLL_MS = 500;

export interface WatchOptions {
  readonly pollMs?: number;
  /** Stops watching. */
  readonly signal?: AbortSignal;
}

/**
 * Waits for a process that is not our child, launched by an earlier life of this spawner. Only a parent learns how a
 * process ended, so code and signal are null. What cannot be read right now counts as alive.
 *
 * @throws AbortError when the signal aborts
 */
export async function awaitAdoptedExit(
  identity: ProcessIdentity,
  options: WatchOptions = {},
): Promise<ProcessExit> {
  const { pollMs = POLL_MS, signal } = options;
  while (isThere(identity)) {
    await setTimeout(pollMs, undefined, signal ? { signal, ref: false } : { ref: false });
  }
  return { code: null, signal: null };
}

function isThere(identity: ProcessIdentity): boolean {
  const state = checkIdentity(identity);
  switch (state) {
    case 'alive':
    case 'unknown':
      return true;
    case 'zombie':
    case 'gone':
    case 'other':
      return false;
    default:
      return state satisfies never;
  }
}
