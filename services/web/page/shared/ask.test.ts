import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ask } from './ask.js';

let server: Server | undefined;
afterEach(async () => {
  jest.restoreAllMocks();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  server = undefined;
});

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Time passes a hundred times as fast. */
function hurry(): number[] {
  const limits: number[] = [];
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    limits.push(ms);
    return timeout(ms / 100);
  });
  return limits;
}

test('an answer that does not come within 15 s is none; nor is one that stops in the middle', async () => {
  const limits = hurry();
  const nothing = await serve(() => undefined);
  await expect(ask(nothing)).rejects.toMatchObject({ code: 'unreachable', status: 0 });
  expect(limits).toEqual([15_000]);
  server?.removeAllListeners('request').on('request', (_, response) => response.write('{"success":'));
  await expect(ask(nothing)).rejects.toMatchObject({ code: 'unreachable', status: 0 });
});

test('who asks can call it off, which is no problem of the service', async () => {
  const leaving = new AbortController();
  const asking = ask(await serve(() => leaving.abort()), { signal: leaving.signal });
  await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
});

test('what is answered in time arrives', async () => {
  const path = await serve((_, response) => response.end('{"success":true}'));
  await expect(ask(path, { signal: new AbortController().signal })).resolves.toEqual({ success: true });
});
