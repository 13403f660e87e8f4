import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardDirectory, releaseDirectory } from './reaper.js';

export interface TempDir {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/** A fresh directory that goes away with `remove()`, or with us. */
export async function makeTempDir(name = 'test'): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `greenroom-${name}-`));
  guardDirectory(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      releaseDirectory(path);
    },
  };
}
