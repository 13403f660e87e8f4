import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { closeServer, listen } from './listen.js';

test('every address includes IPv4, and a taken port is named', async () => {
  const server = createServer((_request, response) => response.end('hello'));
  const port = await listen(server, { host: '::', port: 0 });
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('hello');
  await expect(listen(createServer(), { host: '::', port })).rejects.toThrow(
    `cannot listen on :: port ${port}: another program listens there already`,
  );
  await closeServer(server);
});

test('a server that closes still answers what it has begun', async () => {
  let answer: () => void = () => undefined;
  const server = createServer((_request, response) => {
    answer = () => response.end('late');
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  const arrived = once(server, 'request');
  const asked = fetch(`http://127.0.0.1:${port}`);
  await arrived;
  const closed = closeServer(server);
  answer();
  expect(await (await asked).text()).toBe('late');
  await closed;
});
