import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createLogger } from '@greenroom/service-kit';
import express from 'express';
import { handleErrors } from './answer-errors.js';

test('an answer that fails when it has begun is broken off, not left hanging nor completed', async () => {
  const app = express();
  app.get('/', (_request, response, next) => {
    response.write('the beginning');
    // As a file does that changes while it is sent.
    next({ status: 416 });
  });
  app.use(handleErrors(createLogger({ service: 'web', level: 'error', secrets: [] })));
  const uncaught: unknown[] = [];
  app.use(
    (error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
      uncaught.push(error);
      response.end();
    },
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
    expect(uncaught).toEqual([]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
