import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempDir, startProcess, startTcpProxy } from '../../../packages/test-kit/dist/index.js';

const HOLDER = fileURLToPath(new URL('hold-network.mjs', import.meta.url));

/**
 * The way of one instance to the servers, which can be cut. On this machine's own network that is a proxy in front of Redis
 * alone; in a namespace of its own there is nothing but the ways to Redis and LiveKit, both through us. Media has no way in
 * there: its agents are light ones.
 */
export async function makeNetwork({ redis, livekit, isolated }) {
  const ports = isolated ? [redis.port, livekit.port] : [redis.port];
  const proxies = new Map();
  for (const port of ports) proxies.set(port, await startTcpProxy({ host: '127.0.0.1', port }));
  const namespace = isolated ? await holdNamespace(proxies) : undefined;
  const each = (work) => [...proxies.values()].forEach(work);
  return {
    isIsolated: isolated,
    redisUrl: isolated ? redis.url : `redis://127.0.0.1:${proxies.get(redis.port).port}`,
    /** What to run so that `command` runs on this network. */
    enter: (command, args) => namespace?.enter(command, args) ?? { command, args },
    /** As a machine that has gone: connections are reset. */
    drop: () => each((it) => it.drop()),
    /** As a cable that was pulled: connections stay, nothing goes through. */
    swallow: () => each((it) => it.swallow()),
    heal: () => each((it) => it.release()),
    async close() {
      await namespace?.close();
      for (const proxy of proxies.values()) await proxy.stop();
    },
  };
}

/** Nothing in between, for runs in which nobody is cut off. */
export function openNetwork({ redis }) {
  const nothing = () => undefined;
  const enter = (command, args) => ({ command, args });
  return {
    isIsolated: false,
    redisUrl: redis.url,
    enter,
    drop: nothing,
    swallow: nothing,
    heal: nothing,
    close: nothing,
  };
}

/** Whether this machine lets us make a network namespace, and enter it. */
export async function canIsolate() {
  for (const [command, args] of [
    ['unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']],
    ['nsenter', ['--version']],
  ]) {
    const probe = await startProcess({ command, args });
    if ((await probe.exited).code !== 0) return false;
  }
  return true;
}

async function holdNamespace(proxies) {
  const folder = await makeTempDir('network');
  const closings = await Promise.all(
    [...proxies].map(([port, proxy]) => listenOn(join(folder.path, String(port)), proxy.port)),
  );
  const holder = await startProcess({
    name: 'network namespace',
    command: 'unshare',
    args: ['-rn', process.execPath, HOLDER, [...proxies.keys()].join(','), folder.path],
    readyWhen: { line: /the network is up/ },
  });
  return {
    enter: (command, args) => ({
      command: 'nsenter',
      args: ['-t', String(holder.pid), '-U', '-n', '--preserve-credentials', command, ...args],
    }),
    async close() {
      await holder.stop();
      for (const close of closings) await close();
      await folder.remove();
    },
  };
}

/** A unix socket knows no network namespaces: it is the way in and out. */
async function listenOn(socketPath, port) {
  const open = new Set();
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => open.delete(client));
    relayStream(client, port);
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return async () => {
    for (const client of open) client.destroy();
    server.close();
    await once(server, 'close');
  };
}

function relayStream(client, port) {
  const upstream = connect(port, '127.0.0.1');
  upstream.on('error', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
  client.on('close', () => upstream.destroy());
  client.pipe(upstream).pipe(client);
}
