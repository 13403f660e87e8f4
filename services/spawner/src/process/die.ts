import process from 'node:process';

/**
 * Ends this process as `kill -9` would: no handler runs, nothing is flushed or closed. For injected faults only. The
 * target is taken from the kernel at this moment and is nobody but ourselves.
 */
export function dieNow(): never {
  process.kill(process.pid, 'SIGKILL');
  // The kernel does not come back from it.
  throw new Error('survived SIGKILL');
}
