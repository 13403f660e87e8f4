import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readlink, mkdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { readSurroundings } from './process/index.js';

/** Another spawner is at work where this one wants to be; the message says what to do about it. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Two spawners on one state directory would take each other's launches for their own.
 * @throws AlreadyRunningError when another one on this machine uses it
 */
export async function holdStateDir(root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  // By what it is, not by its name: it may be reached on several paths, and equal paths may be different folders.
  const { dev, ino } = await stat(root, { bigint: true });
  await hold(
    nameOf('state-dir', dev, ino),
    `Another spawner already works in STATE_DIR ${root}. Stop that one, or give this one a STATE_DIR of its own.`,
  );
}

/**
 * Two spawners of one host id would end each other's calls. On one machine this stops the second; across machines the
 * lease in Redis does, which keeps what is answered here.
 * @returns names the lock beyond this machine: whoever has the same one proves that its holder before is dead
 * @throws AlreadyRunningError when another one on this machine has the host id
 */
export async function holdHostId(
  hostId: string,
  { redisUrl, redisKeyPrefix }: { redisUrl: string; redisKeyPrefix: string },
): Promise<string> {
  const { hostname, port, pathname } = new URL(redisUrl);
  const name = nameOf('host', hostname, port || '6379', pathname, redisKeyPrefix, hostId);
  await hold(
    name,
    `Another spawner with HOST_ID ${hostId} already runs on this machine, with the same Redis. ` +
      'Stop that one, or give this one a HOST_ID and a STATE_DIR of its own.',
  );
  // Abstract sockets belong to a network namespace, and a boot id is shared by the containers of a machine.
  return `${readSurroundings().bootId} ${await readlink('/proc/self/ns/net')} ${name}`;
}

/**
 * An abstract socket: one process at a time can have it, and the kernel frees it however that process ends. Nobody
 * ever talks over it.
 */
async function hold(name: string, complaint: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(`\0${name}`);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new AlreadyRunningError(complaint, { cause: error });
  }
  server.unref();
}

function nameOf(kind: string, ...parts: readonly (string | bigint)[]): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
  return `greenroom-spawner-${kind}-${hash}`;
}
