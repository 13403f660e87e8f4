import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, type TestBrowser } from './support/browser.js';
import { findViolations, takePictures } from './support/look.js';
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

test('the queue page opens after the door alone, is readable for everybody in both themes, and asks nobody but us', async () => {
  const page = await (await browser.open()).newPage();
  const broken: string[] = [];
  const answeredBy = new Set<string>();
  const failures = new Set<string>();
  page.on('pageerror', (error) => broken.push(String(error)));
  page.on('response', (response) => answeredBy.add(new URL(response.url()).origin));
  page.on('requestfailed', (request) => {
    if (!request.url().startsWith(stack.webUrl)) failures.add(request.failure()?.errorText ?? '');
  });
  const queues = `${stack.webUrl}/api/admin/queues`;
  expect((await page.goto(queues))?.status()).toBe(401);

  // As the console does it: the token goes along once, and the cookie that comes back is out of reach for scripts.
  await page.goto(`${stack.webUrl}/console`);
  const cookies = await page.evaluate(async (token) => {
    const { ok } = await fetch('/api/admin/door', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
    });
    return ok ? document.cookie : 'refused';
  }, stack.adminToken);
  expect(cookies).toBe('');

  expect((await page.goto(queues))?.status()).toBe(200);
  await page.getByText('spawn', { exact: true }).first().waitFor();
  expect(await findViolations(page)).toEqual([]);
  await takePictures(page, 'queues');
  await page.goto(`${queues}/queue/spawn`);
  await page.getByText('Doorbells: normally empty', { exact: false }).first().waitFor();
  await page.getByText('No latest jobs').waitFor();
  expect(await findViolations(page)).toEqual([]);
  await takePictures(page, 'queue');
  expect([...answeredBy]).toEqual([stack.webUrl]);
  // It would fetch fonts, and is not let out.
  expect([...failures]).toEqual(['csp']);
  expect(broken).toEqual([]);
});
