import { once } from 'node:events';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, createMetrics } from '@greenroom/service-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildApp } from './app.js';

let api: Server;
let web: Server;
const asked: string[] = [];

/** An api that is slow: its streams begin only after a while, and its other answers never. */
function answerLate({ url = '' }: IncomingMessage, response: ServerResponse): void {
  asked.push(url);
  if (url === '/api/late') setTimeout(() => response.writeHead(200).write(': hi\n\n'), 300);
  if (url === '/api/soon') response.writeHead(200).write(': hi\n\n');
}

beforeAll(async () => {
  api = http.createServer(answerLate).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const logger = createLogger({ service: 'web', level: 'error', secrets: [] });
  const apiUrl = `http://127.0.0.1:${portOf(api)}`;
  web = http.createServer(buildApp({ apiUrl, logger, metrics: createMetrics('web') })).listen(0, '127.0.0.1');
  await once(web, 'listening');
});
afterAll(() => {
  for (const server of [web, api]) server.close().closeAllConnections();
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

test.each([
  ['GET', '/api/never'],
  ['GET', '/api/late'],
  ['GET', '/api/soon'],
  ['POST', '/api/never'],
])('whoever leaves leaves at the api, too, whether it has answered or not: %s %s', async (method, path) => {
  const arrives = once(api, 'request');
  const request = http
    .request({ port: portOf(web), host: '127.0.0.1', method, path })
    .on('error', () => undefined);
  request.end();
  const [, answer] = (await arrives) as [IncomingMessage, ServerResponse];
  const closed = once(answer, 'close').then(() => 'closed');
  await sleep(100);
  request.destroy();
  expect(await Promise.race([closed, sleep(2_000, 'still open', { ref: false })])).toBe('closed');
});

test.each([
  '/api/../metrics',
  '/api/%2e%2E/metrics',
  '/api/..%2fmetrics',
  '/docs/..',
  '/api/x\\..\\..\\metrics',
])('no way leads up out of what is passed: %s', async (path) => {
  asked.length = 0;
  const request = http.get({ port: portOf(web), host: '127.0.0.1', path });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  expect([answer.statusCode, asked]).toEqual([404, []]);
});
