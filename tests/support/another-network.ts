import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempDir, type RunningProcess, startProcess, type TestStack } from '@greenroom/test-kit';

const SPAWNER = fileURLToPath(new URL('../../services/spawner/dist/main.js', import.meta.url));
const INSIDE = fileURLToPath(new URL('../fixtures/in-another-network.mjs', import.meta.url));

/** Whether this machine lets us make a network namespace of our own. */
export async function canMakeNetworks(): Promise<boolean> {
  const probe = await startProcess({ command: 'unshare', args: ['-rn', 'ip', 'link', 'set', 'lo', 'up'] });
  return (await probe.exited).code === 0;
}

/** A spawner in a network namespace of its own, as on another machine: it reaches the stack's Redis and nothing else. */
export async function startSpawnerElsewhere(
  stack: TestStack,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningProcess> {
  const folder = await makeTempDir('elsewhere');
  const socketPath = path.join(folder.path, 'redis.sock');
  const relay = await relayTo(socketPath, stack.redis.port);
  const spawner = await startProcess({
    name: 'spawner elsewhere',
    command: 'unshare',
    args: ['-rn', process.execPath, INSIDE, String(stack.redis.port), socketPath, process.execPath, SPAWNER],
    env: { ...stack.env, STATE_DIR: path.join(folder.path, 'state'), ...env },
  });
  return {
    ...spawner,
    async stop() {
      const exit = await spawner.stop({ graceMs: 20_000 });
      await relay.close();
      await folder.remove();
      return exit;
    },
  };
}

async function relayTo(socketPath: string, port: number): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
