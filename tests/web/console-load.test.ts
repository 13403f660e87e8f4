import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@greenroom/test-kit';
import type { Request } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, type TestBrowser } from './support/browser.js';
import { BusyFleet } from './support/busy-fleet.js';
import { ConsolePage } from './support/console-page.js';
import { browserCpuSeconds } from './support/cpu-time.js';
import { findViolations, takePictures } from './support/look.js';
import { startWebStack, type WebStack } from './support/web-stack.js';

const CALLS = 500;
/** Sessions in a snapshot. */
const LISTED = 1_000;
const CHANGES_PER_SECOND = 200;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 10_000;
/** A bound of the order of what is seen: 265 ms, with two cores for the browser, the services and other tests beside them. */
const LONGEST_TASK_MS = 500;

let stack: WebStack;
let browser: TestBrowser;
let fleet: BusyFleet;
beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startWebStack({ services: ['api'], env: { MAX_SESSIONS: '2000' } }),
    openBrowser(),
  ]);
  fleet = await BusyFleet.open(stack.redis.url, CALLS);
}, 60_000);
afterAll(async () => {
  await fleet?.close();
  await browser?.close();
  await stack?.stop();
}, 60_000);

test('500 calls with 200 changes a second cost the browser less than half a core, and all of them are shown', async () => {
  const window = await browser.open();
  const console = await ConsolePage.enter(stack, window, '/console?sort=-age');
  await console.untilText(console.by('calls'), String(CALLS));
  // Only what can be seen is in the page.
  expect(await console.by('session-row').count()).toBeLessThan(40);
  await console.page.evaluate(watchLongTasks);

  fleet.work(CHANGES_PER_SECOND);
  await sleep(WARM_UP_MS);
  const asked: string[] = [];
  const noteRequest = (request: Request): number => asked.push(request.url());
  console.page.on('request', noteRequest);
  const before = { cpu: browserCpuSeconds(), changes: fleet.changes, at: performance.now() };
  await sleep(MEASURED_MS);
  const seconds = (performance.now() - before.at) / 1_000;
  const cores = (browserCpuSeconds() - before.cpu) / seconds;
  const changes = (fleet.changes - before.changes) / seconds;
  const longest = await console.page.evaluate(() => (globalThis as unknown as { longest: number }).longest);
  console.page.off('request', noteRequest);
  process.stderr.write(
    `  console: ${cores.toFixed(2)} cores at ${changes.toFixed(0)} changes a second; longest task ${longest.toFixed(0)} ms\n`,
  );
  await takePictures(console.page, 'console-busy');
  expect(await findViolations(console.page)).toEqual([]);
  await fleet.rest();

  expect(changes).toBeGreaterThan(CHANGES_PER_SECOND * 0.9);
  expect(cores).toBeLessThan(0.5);
  // Or nothing was measured, say since the browser's processes were not found.
  expect(cores).toBeGreaterThan(0.01);
  expect(longest).toBeLessThan(LONGEST_TASK_MS);
  // It is all pushed: nothing is asked for.
  expect(asked).toEqual([]);
  // Nothing was lost on the way: the page has those who are there, as the stream alone has told it.
  const { sessions, nextCursor } = (await stack.request('GET', '/api/sessions?limit=1')).body;
  expect(nextCursor).not.toBeNull();
  const firstRow = (): Promise<string | null> =>
    console.page.locator('[data-testid="session-row"][aria-rowindex="2"]').getAttribute('data-id');
  await waitFor(async () => (await firstRow()) === fleet.oldest);
  await console.by('sort-age').click();
  await waitFor(async () => (await firstRow()) === sessions[0].sessionId);
  await console.untilText(console.by('session-count'), `${fleet.calls} sessions`);
}, 90_000);

test('of more than 1,000 sessions the newest are listed, and it says so until there are fewer', async () => {
  await fleet.begin(LISTED + 50 - fleet.calls);
  const window = await browser.open();
  const console = await ConsolePage.enter(stack, window);
  await console.untilText(console.by('is-cut'), 'more sessions than the newest 1,000');
  expect(await findViolations(console.page)).toEqual([]);
  await fleet.endNewest(LISTED + 50 - CALLS);
  await console.by('is-cut').waitFor({ state: 'detached' });
  await console.untilText(console.by('session-count'), `${CALLS} sessions`);
}, 90_000);

test('what is wrong is seen: failed starts, an open breaker, an alarm', async () => {
  const window = await browser.open();
  const console = await ConsolePage.enter(stack, window);
  await console.untilText(console.by('errors-count'), '0');
  await fleet.failStarts('support', 5);
  await fleet.raiseAlarm();
  await console.untilText(console.by('errors-count'), '6');
  await console.untilText(console.by('alarms'), 'survived SIGKILL');
  await console.by('pool-support').getByTestId('breaker').getByText('5 launches in a row').waitFor();
  await console.by('filter-errors').check();
  await console.untilText(console.by('session-count'), '6 of');
  expect(await console.by('end-matching').isDisabled()).toBe(true);
  expect(await findViolations(console.page)).toEqual([]);
  await takePictures(console.page, 'console-errors');
}, 60_000);

function watchLongTasks(): void {
  Object.assign(globalThis, { longest: 0 });
  new PerformanceObserver((list) => {
    const known = globalThis as unknown as { longest: number };
    for (const { duration } of list.getEntries()) known.longest = Math.max(known.longest, duration);
  }).observe({ type: 'longtask' });
}
