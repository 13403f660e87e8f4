import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, type TestBrowser, watchForErrors } from './support/browser.js';
import { startWebStack, type WebStack } from './support/web-stack.js';

let stack: WebStack;
let browser: TestBrowser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startWebStack(), openBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 60_000);

test('opening the page starts nothing', async () => {
  const page = await (await browser.open()).newPage();
  const errors = watchForErrors(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.goto(`${stack.webUrl}/`, { waitUntil: 'networkidle' });
  expect(asked.filter((it) => it.includes('/api/'))).toEqual(['GET /api/profiles']);
  expect((await stack.request('GET', '/api/health')).body.sessions).toMatchObject({ ready: 0, starting: 0 });
  expect(errors).toEqual([]);
});
