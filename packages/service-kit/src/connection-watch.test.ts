import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { waitFor } from '@greenroom/test-kit';
import { afterEach, expect, test } from '@jest/globals';
import { ConnectionWatch } from './connection-watch.js';

let server: Server | undefined;
const sockets = new Set<Socket>();
let watch: ConnectionWatch | undefined;
afterEach(async () => {
  watch?.close();
  await shut();
});

async function listen(port = 0): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function shut(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  if (!server?.listening) return;
  server.close();
  await once(server, 'close');
}

function watchPort(port: number): string[] {
  const news: string[] = [];
  watch = new ConnectionWatch({
    url: `ws://127.0.0.1:${port}`,
    onLost: () => news.push('lost'),
    onConnected: () => news.push('connected'),
  });
  watch.open();
  return news;
}

test('a server that goes is heard of at once, its return within a second', async () => {
  const port = await listen();
  const news = watchPort(port);
  await waitFor(() => news.length === 1);
  const goneAtMs = performance.now();
  await shut();
  await waitFor(() => news.length === 2);
  expect(performance.now() - goneAtMs).toBeLessThan(200);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await listen(port);
  const backAtMs = performance.now();
  await waitFor(() => news.length === 3);
  expect(performance.now() - backAtMs).toBeLessThan(1000);
  expect(news).toEqual(['connected', 'lost', 'connected']);
});

test('a connection that is reset is lost like any other, and made again', async () => {
  const port = await listen();
  const news = watchPort(port);
  await waitFor(() => sockets.size === 1 && news.length === 1);
  for (const socket of sockets) socket.resetAndDestroy();
  await waitFor(() => news.length === 3, { timeoutMs: 2000 });
  expect(news).toEqual(['connected', 'lost', 'connected']);
});

test('a server that is not there yet is connected to when it comes', async () => {
  const port = await listen();
  await shut();
  const news = watchPort(port);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(news).toEqual([]);
  await listen(port);
  await waitFor(() => news.length === 1, { timeoutMs: 1000 });
});

test('whoever closes every connection at once is not flooded with new ones', async () => {
  const port = await listen();
  let count = 0;
  server?.on('connection', (socket: Socket) => {
    count += 1;
    socket.destroy();
  });
  watchPort(port);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(count).toBeGreaterThan(1);
  expect(count).toBeLessThanOrEqual(9);
});

test('closed, it says nothing more and connects no more', async () => {
  const port = await listen();
  const news = watchPort(port);
  await waitFor(() => news.length === 1);
  watch?.close();
  await waitFor(() => sockets.size === 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(news).toEqual(['connected']);
  expect(sockets.size).toBe(0);
});
