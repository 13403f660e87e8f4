import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page, Request } from 'playwright-core';
import { openBrowser, type TestBrowser, watchForErrors } from './support/browser.js';
import { CallPage } from './support/call-page.js';
import { findViolations, takePictures } from './support/look.js';
import { startWebStack, type WebStack } from './support/web-stack.js';

const BUILT = fileURLToPath(new URL('../../services/web/dist/page/', import.meta.url));
const KB = 1_000;

let stack: WebStack;
let browser: TestBrowser;
beforeAll(async () => {
  [stack, browser] = await Promise.all([startWebStack(), openBrowser()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 60_000);

test('opening the page starts nothing, asks only what agents are here, and loads nothing of the console', async () => {
  const page = await (await browser.open()).newPage();
  const errors = watchForErrors(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
  const transferred = countBytes(page);
  await page.goto(`${stack.webUrl}/`);
  await page.getByTestId('lobby').waitFor();
  await page.waitForLoadState('networkidle');
  const own = asked.map((it) => it.replace(stack.webUrl, ''));
  expect(own.filter((it) => it.includes('/api/'))).toEqual(['GET /api/profiles']);
  expect(own.filter((it) => it.includes('://') || it.includes('console'))).toEqual([]);
  // LiveKit comes when somebody turns to the form, so that a click need not wait for it.
  expect(own.filter((it) => it.includes('livekit'))).toEqual([]);
  const bytes = await transferred();
  console.log(`everything that a browser fetches on opening /: ${bytes} bytes`);
  expect(bytes).toBeLessThan(250 * KB);
  expect(bytes).toBeGreaterThan(50 * KB);
  const coming = page.waitForResponse(/livekit-client/);
  await page.getByTestId('start').hover();
  await coming;
  expect((await stack.request('GET', '/api/health')).body.sessions).toMatchObject({ ready: 0, starting: 0 });
  expect(await findViolations(page)).toEqual([]);
  await takePictures(page, 'call-lobby', { fullPage: true });
  expect(errors).toEqual([]);
});

test('a mistyped address leads to a page that leads to the call screen', async () => {
  const page = await (await browser.open()).newPage();
  const errors = watchForErrors(page);
  const answer = await page.goto(`${stack.webUrl}/calll`);
  expect(answer?.status()).toBe(404);
  expect(await findViolations(page)).toEqual([]);
  await takePictures(page, 'call-no-page');
  await page.getByRole('link').click();
  await page.getByTestId('lobby').waitFor();
  // The browser prints the 404; the page's policy was kept.
  expect(errors.filter((it) => !it.includes('404'))).toEqual([]);
});

test('a call is made, held and ended by keyboard alone, and nothing moves for who wants it so', async () => {
  const caller = await CallPage.open(stack, await browser.open({ reducedMotion: true }));
  const { page } = caller;
  await caller.by('lobby').waitFor();
  const lasting = await page.evaluate(() =>
    document.getAnimations().filter((it) => Number(it.effect?.getComputedTiming().activeDuration) > 1),
  );
  expect(lasting).toEqual([]);
  await caller.tabTo('name');
  await page.keyboard.type('Ada');
  await caller.tabTo('voice');
  await page.keyboard.type('Male, Scot');
  await caller.tabTo('start');
  await page.keyboard.press('Enter');
  await caller.by('call').waitFor();
  // Reading goes on at the head of the new screen.
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
  expect((await caller.view()).body).toMatchObject({ userName: 'Ada', voiceId: 'awb', profile: 'default' });
  await caller.untilTalking();
  await caller.tabTo('say');
  await page.keyboard.type('What is my name?');
  await page.keyboard.press('Enter');
  await caller.untilSaid('agent', /Your name is Ada/);
  await caller.tabTo('end');
  await page.keyboard.press('Enter');
  await caller.expectOver('caller_ended');
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
}, 120_000);

test('the call screen is there after less than 120 kB, the console too, and neither brings the other along', async () => {
  const [call, console] = await Promise.all([filesOf('index.html'), filesOf('console.html')]);
  expect(await gzippedSize(call)).toBeLessThan(120 * KB);
  expect(await gzippedSize(console)).toBeLessThan(150 * KB);
  expect(call.filter((file) => /console|livekit/.test(file))).toEqual([]);
  expect(console.filter((file) => /call-|livekit|room/.test(file))).toEqual([]);
});

/** What came over the line so far, headers and all. */
function countBytes(page: Page): () => Promise<number> {
  const done: Request[] = [];
  page.on('requestfinished', (request) => done.push(request));
  return async () => {
    const sizes = await Promise.all(done.map((request) => request.sizes()));
    return sizes.reduce((sum, it) => sum + it.responseHeadersSize + it.responseBodySize, 0);
  };
}

/** What a browser loads before it shows the page: Vite lists the modules that modules import. */
async function filesOf(document: string): Promise<string[]> {
  const html = await readFile(`${BUILT}${document}`, 'utf8');
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, file]) => file ?? '');
  expect(files.length).toBeGreaterThan(2);
  return [document, ...files];
}

async function gzippedSize(files: string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await readFile(BUILT + file)).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}
