import type { Server } from 'node:http';
import { connect } from 'node:net';
import { closeServer, listen } from '@greenroom/service-kit';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { createApiServer } from '../server.js';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';
import { giveTime, limitTime } from './time-limit.js';

let redis: TestRedis;
let api: TestApi;
let server: Server;
let port: number;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, requestLimitMs: 300 });
  server = createApiServer(api.app);
  port = await listen(server, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await closeServer(server);
  await api.close();
  await redis.stop();
});

test('a request that takes too long is answered 503, and its late answer is dropped', async () => {
  const spawner = new StandInSpawner(api.schema);
  await spawner.register();
  const { sessionId } = await api.start();
  await spawner.launchNext();
  // Nobody answers this question, which would be told after 2 s.
  const startedAt = performance.now();
  const { status, headers, body } = await api.adminGet(`/api/debug/session/${sessionId}/processes`);
  expect([status, body.code, headers.connection]).toEqual([503, 'request_timeout', 'close']);
  expect(headers['retry-after']).toBeDefined();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(api.log()).not.toContain('request failed');
});

test('what has to wait for somebody is given more time, and no more than that', async () => {
  const app = express();
  app.use(limitTime(100));
  app.get('/told', (_request, response) => {
    giveTime(response, 1_000);
    setTimeout(() => response.send('heard'), 300);
  });
  app.get('/never', (_request, response) => giveTime(response, 300));
  const told = await request(app).get('/told');
  expect([told.status, told.text]).toEqual([200, 'heard']);
  expect((await request(app).get('/never')).status).toBe(503);
});

test('a body that dribbles in is not waited for', async () => {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        'POST /api/session/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"',
      );
    });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1.1 503/);
  expect(answer).toContain('request_timeout');
});
