import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMetrics } from './metrics.js';
import { createPlatformHandler, type Readiness } from './platform-routes.js';

let readiness: () => Readiness | Promise<Readiness>;
const handle = createPlatformHandler({ checkReadiness: () => readiness(), metrics: createMetrics('test') });
const server = createServer((request, response) => {
  if (!handle(request, response)) response.writeHead(418).end();
});
let base = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const statusOf = async (path: string, init?: RequestInit) => (await fetch(base + path, init)).status;

test('livez is always up, readyz says what the check says', async () => {
  readiness = () => ({ ready: true });
  expect(await statusOf('/livez')).toBe(200);
  expect(await statusOf('/readyz?x=1')).toBe(200);
  readiness = () => ({ ready: false, reason: 'redis' });
  const response = await fetch(`${base}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: 'not_ready', reason: 'redis' });
  expect(await statusOf('/livez')).toBe(200);
});

test('a check that throws or hangs counts as not ready', async () => {
  readiness = () => {
    throw new Error('no');
  };
  expect(await statusOf('/readyz')).toBe(503);
  readiness = () => new Promise(() => undefined);
  const startedAt = performance.now();
  expect(await statusOf('/readyz')).toBe(503);
  expect(performance.now() - startedAt).toBeLessThan(1200);
});

test('metrics are those of this process, labelled with the service', async () => {
  const text = await (await fetch(`${base}/metrics`)).text();
  expect(text).toMatch(/process_resident_memory_bytes\{service="test"\} \d+/);
});

test('other methods and paths are somebody else’s', async () => {
  expect(await statusOf('/livez', { method: 'POST' })).toBe(418);
  expect(await statusOf('/elsewhere')).toBe(418);
});
