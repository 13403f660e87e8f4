import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Memory first, so that what was said never touches a disk. */
const DIRECTORIES = ['/dev/shm', tmpdir()];

/**
 * A file without a name: handed to a child as a descriptor, gone when the last holder closes it, even after SIGKILL.
 * Speech programs want files that they can open again (`/dev/fd/3`) and seek in; a pipe of Node's is a socket, which
 * allows neither.
 */
export function openAnonymousFile(content?: string | Uint8Array): number {
  const fd = openInFirstWritable();
  if (content === undefined) return fd;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  // At explicit positions, so that a child that reads the inherited descriptor starts at 0.
  for (let offset = 0; offset < bytes.length; ) {
    offset += writeSync(fd, bytes, offset, bytes.length - offset, offset);
  }
  return fd;
}

/** All that is in the file, whatever the descriptor's position. */
export function readAnonymousFile(fd: number): Buffer {
  const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
  let offset = 0;
  while (offset < bytes.length) {
    const count = readSync(fd, bytes, offset, bytes.length - offset, offset);
    if (count === 0) break;
    offset += count;
  }
  return bytes.subarray(0, offset);
}

export function closeAnonymousFile(fd: number): void {
  closeSync(fd);
}

function openInFirstWritable(): number {
  let lastError: unknown;
  for (const directory of DIRECTORIES) {
    const path = join(directory, `greenroom-${randomUUID()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      lastError = error;
    }
  }
  throw new Error('no directory for temporary files', { cause: lastError });
}
