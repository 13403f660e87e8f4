import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@greenroom/test-kit';
import type { Request } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, type TestBrowser } from './support/browser.js';
import { BusyFleet } from './support/busy-fleet.js';
import { ConsolePage } from './support/console-page.js';
import { browserCpuSeconds } from './support/cpu-time.js';
import { writeHourOfCalls } from './support/hour-of-calls.js';
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

  // It will have been silent for long when its turn comes, below.
  await fleet.leaveBehind('dublin', 3);
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
  await console.untilText(console.by('session-count'), `${fleet.calls} sessions`);
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

test('a host that stays silent is given up: its calls are listed for other hosts, and long ones are found by their age', async () => {
  // As if it had begun ten minutes earlier.
  await stack.redis.command('HINCRBY', `session:${fleet.oldest}`, 'assignedAt', -600_000);
  const window = await browser.open();
  const console = await ConsolePage.enter(stack, window, '/console/hosts');
  const dublin = (state: string): Promise<void> =>
    console.page.locator(`[data-testid="host-dublin"][data-state="${state}"]`).waitFor();
  await dublin('unreachable');
  await console.by('lost-dublin').click();
  await console.by('host-dialog').getByText('its 3 calls get another agent on another host now').waitFor();
  expect(await findViolations(console.page)).toEqual([]);
  await takePictures(console.page, 'console-give-up');
  await console.by('host-confirm').click();
  await dublin('lost');
  await console.untilText(console.by('host-dublin').getByTestId('host-calls'), /^0/);
  expect(await console.by('lost-dublin').count()).toBe(0);
  await console.by('nav-now').click();
  await console.by('filter-state').selectOption('restarting');
  await console.untilText(console.by('session-count'), /^3 of/);
  await console.by('filter-state').selectOption('');
  await console.by('filter-older').selectOption('5m');
  await console.untilText(console.by('session-count'), /^1 of/);
  await console.row(fleet.oldest ?? '').waitFor();
  expect(new URL(console.page.url()).search).toBe('?older=5m');
  await console.by('end-matching').click();
  await console.untilText(console.by('end-count'), '1 session matches right now');
}, 60_000);

test('while Redis, which has lost its data, is put together again it says so; then an hour is told in charts', async () => {
  const window = await browser.open();
  const console = await ConsolePage.enter(stack, window);
  await console.by('session-row').first().waitFor();
  await stack.redis.command('FLUSHALL');
  await fleet.heartbeat();
  await console.untilText(console.by('recovering'), 'Redis has lost its data');
  expect(await findViolations(console.page)).toEqual([]);
  await takePictures(console.page, 'console-recovering');
  // As if it had begun two heartbeats ago; and the hosts hear of it before they publish.
  await stack.redis.command('HINCRBY', 'recovery', 'startedAt', -10_000);
  await fleet.heartbeat();
  await fleet.heartbeat();
  await console.by('recovering').waitFor({ state: 'detached' });

  const starts = await writeHourOfCalls(stack.redis);
  await console.by('nav-charts').click();
  await console.untilText(console.by('totals'), starts.toLocaleString('en'));
  expect(await findViolations(console.page)).toEqual([]);
  await takePictures(console.page, 'console-charts', { fullPage: true });
  await console.by('window-day').click();
  await console.by('window-day').and(console.page.locator('[aria-pressed="true"]')).waitFor();
  expect(await findViolations(console.page)).toEqual([]);
}, 60_000);

function watchLongTasks(): void {
  Object.assign(globalThis, { longest: 0 });
  new PerformanceObserver((list) => {
    const known = globalThis as unknown as { longest: number };
    for (const { duration } of list.getEntries()) known.longest = Math.max(known.longest, duration);
  }).observe({ type: 'longtask' });
}
