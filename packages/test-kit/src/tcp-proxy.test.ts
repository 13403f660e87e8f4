import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { waitFor } from './wait-for.js';

let server: Server;
let asked: string[];
let proxy: TcpProxy;
let client: Client;

beforeEach(async () => {
  asked = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      asked.push(String(data));
      socket.write(`re:${String(data)}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  client = await open();
});
afterEach(async () => {
  client.socket.destroy();
  await proxy.stop();
  server.close();
});

interface Client {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly isCut: () => boolean;
}

async function open(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  let heard = '';
  let isCut = false;
  socket.on('data', (data) => {
    heard += String(data);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isCut = true;
  });
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return { socket, heard: () => heard, isCut: () => isCut };
}

test('passes both ways', async () => {
  client.socket.write('a');
  await waitFor(() => client.heard() === 're:a');
});

test('drop resets what is open and what comes, and release lets new ones in', async () => {
  proxy.drop();
  await waitFor(() => client.isCut());
  const refused = await open();
  await waitFor(() => refused.isCut());
  expect(asked).toEqual([]);
  proxy.release();
  client = await open();
  client.socket.write('b');
  await waitFor(() => client.heard() === 're:b');
});

test('delay takes its time each way', async () => {
  proxy.delay(150);
  const sentAt = performance.now();
  client.socket.write('c');
  await waitFor(() => asked.length === 1);
  expect(performance.now() - sentAt).toBeGreaterThan(140);
  await waitFor(() => client.heard() === 're:c');
  expect(performance.now() - sentAt).toBeGreaterThan(290);
});

test('swallow keeps the connection and lets nothing through, then or later', async () => {
  proxy.swallow();
  client.socket.write('d');
  const another = await open();
  another.socket.write('e');
  await sleep(150);
  expect([asked, client.isCut(), another.isCut()]).toEqual([[], false, false]);
  proxy.release();
  await waitFor(() => client.isCut() && another.isCut());
  client = await open();
  client.socket.write('f');
  await waitFor(() => client.heard() === 're:f');
  expect(asked).toEqual(['f']);
});

test('holdReplies keeps answers back until release', async () => {
  proxy.holdReplies();
  client.socket.write('g');
  await waitFor(() => asked.length === 1);
  await sleep(50);
  expect(client.heard()).toBe('');
  proxy.release();
  await waitFor(() => client.heard() === 're:g');
});

test('loseReplies cuts the connection in place of the answer', async () => {
  proxy.loseReplies();
  client.socket.write('h');
  await waitFor(() => client.isCut());
  expect([asked, client.heard()]).toEqual([['h'], '']);
});

test('loseReplyTo loses one answer, and only that one', async () => {
  const lost = proxy.loseReplyTo('secret');
  client.socket.write('open');
  await waitFor(() => client.heard() === 're:open');
  client.socket.write('a secret');
  await lost;
  await waitFor(() => client.isCut());
  expect([asked, client.heard()]).toEqual([['open', 'a secret'], 're:open']);
  client = await open();
  client.socket.write('secret');
  await waitFor(() => client.heard() === 're:secret');
});
