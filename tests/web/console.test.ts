import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import type { BrowserContext } from 'playwright-core';
import { openBrowser, type TestBrowser, watchForErrors } from './support/browser.js';
import { CallPage } from './support/call-page.js';
import { ConsolePage } from './support/console-page.js';
import { findViolations, takePictures } from './support/look.js';
import { startWebStack, type WebStack } from './support/web-stack.js';

const AGENT = fileURLToPath(new URL('../fixtures/agents/ready-then-waits.sh', import.meta.url));

let stack: WebStack;
let browser: TestBrowser;
let window: BrowserContext;
beforeAll(async () => {
  [stack, browser] = await Promise.all([
    startWebStack({
      agentCommand: `sh ${AGENT}`,
      env: { POOL_TARGET: '1', MAX_SESSIONS: '4', HEALTH_CHECK_INTERVAL: '1' },
    }),
    openBrowser(),
  ]);
}, 60_000);
afterEach(async () => {
  await window?.close();
  await stack.request('POST', '/api/sessions/end', { all: true });
  await stack.request('POST', '/api/pool/resize', { size: 1 });
  await waitFor(async () => (await callers()) === 0, { timeoutMs: 10_000 });
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 60_000);

describe('the door', () => {
  test('lets in who has the token, says so to who has not, and leaves no trace of it', async () => {
    window = await browser.open();
    const console = await ConsolePage.open(stack, window);
    const asked: string[] = [];
    console.page.on('request', (request) => asked.push(request.url()));
    await console.signIn('not-the-token');
    await console.untilText(console.by('door-problem'), 'not the admin token');
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-door');

    await console.signIn(stack.adminToken);
    await console.untilState('live');
    expect(await console.traces()).not.toContain(stack.adminToken);
    expect(asked.join()).not.toContain(stack.adminToken);
    expect(stack.web.output() + stack.logs()).not.toContain(stack.adminToken);
    await console.page.reload();
    await console.untilState('live');

    await console.by('sign-out').click();
    await console.by('token').waitFor();
    await console.page.reload();
    await console.by('token').waitFor();
    expect(await console.page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)))).not.toContain(
      stack.adminToken,
    );
  });
});

describe('now', () => {
  test('shows each call as it begins, changes and ends, beside pools, hosts and the line', async () => {
    await untilPool(1);
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window);
    const errors = watchForErrors(console.page);
    const ada = await start('ada', 'Ada Lovelace');
    await console.untilText(console.cell(ada, 'user'), 'Ada Lovelace');
    await console.untilText(console.cell(ada, 'state'), 'ready');
    await console.untilText(console.cell(ada, 'agent'), 'warm');
    await console.untilText(console.cell(ada, 'start'), 'at once');
    await console.untilText(console.cell(ada, 'host'), 'test-host');
    await console.untilText(console.cell(ada, 'cpu'), /\d+ %/);
    await console.untilText(console.cell(ada, 'memory'), /\d+ MB/);
    const age = await console.cell(ada, 'age').innerText();
    await waitFor(async () => (await console.cell(ada, 'age').innerText()) !== age);

    const [grace] = [await start('grace'), await start('linus'), await start('ken')];
    await console.untilText(console.cell(grace, 'state'), 'ready');
    await console.untilText(console.by('calls'), '4');
    await start('tim', 'Tim in line');
    await console.untilText(console.by('waiting'), 'tim');
    await console.untilText(console.by('waiting-count'), '1');
    await untilPool(1);
    await console.untilText(console.by('pool-ready').first(), '1');
    await console.by('host-test-host').getByText('of 60 running').waitFor();
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-now');

    await stack.request('POST', '/api/session/end', { sessionId: ada });
    await console.row(ada).waitFor({ state: 'detached' });
    // Its place goes to who waits.
    await console.untilText(console.by('waiting-count'), '0');
    expect(errors).toEqual([]);
  }, 60_000);

  test('a filter and a sort stand in the address: they survive a reload, and whoever gets the link sees the same', async () => {
    await Promise.all([start('ada'), start('grace'), start('adam')]);
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window);
    await console.by('filter-q').fill('ADA');
    await console.by('sort-user').click();
    await console.untilText(console.by('session-count'), /^2 of \d+ sessions$/);
    expect(await console.column('user')).toEqual(['ada', 'adam']);
    expect(new URL(console.page.url()).search).toBe('?q=ADA&sort=user');
    await console.page.reload();
    await console.untilText(console.by('session-count'), /^2 of/);
    expect(await console.column('user')).toEqual(['ada', 'adam']);
    await console.by('sort-user').click();
    await waitFor(async () => (await console.column('user'))[0] === 'adam');
    const head = console.page.getByRole('columnheader', { name: 'User' });
    expect(await head.getAttribute('aria-sort')).toBe('descending');

    await console.by('filter-errors').check();
    await console.untilText(console.by('nobody'), 'No live session matches');
    await console.by('clear-filters').click();
    await waitFor(async () => (await console.column('user')).includes('grace'));
  });

  test('can be used without a mouse', async () => {
    const ids = [await start('ada'), await start('grace'), await start('linus')];
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window, '/console?state=ready&sort=user');
    await console.row(ids[2]!).waitFor();
    await console.row(ids[0]!).focus();
    await console.page.keyboard.press('ArrowDown');
    await console.page.keyboard.press('End');
    const focused = (): Promise<string | null> =>
      console.page.evaluate(() => document.activeElement?.getAttribute('data-id') ?? null);
    await waitFor(async () => (await focused()) === ids[2]);
    await console.page.keyboard.press('ArrowUp');
    await waitFor(async () => (await focused()) === ids[1]);
    // When the session under it goes, the focus stays in the table.
    await stack.request('POST', '/api/session/end', { sessionId: ids[1] });
    await console.row(ids[1]!).waitFor({ state: 'detached' });
    await waitFor(async () => (await focused()) === ids[2]);
    await console.page.keyboard.press('Enter');
    await console.page.waitForURL(`**/console/session/${ids[2]}`);
    await console.by('end').waitFor();
    // LISTEN_IN is off here: nobody is offered what the deployment does not allow.
    expect(await console.by('listen').count()).toBe(0);
    await console.page.goBack();
    await console.row(ids[0]!).waitFor();
  });

  test('what is not live is not shown as live', async () => {
    const ada = await start('ada');
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window);
    await console.row(ada).waitFor();
    await stack.api.kill();
    await console.untilState('lost');
    await console.untilText(console.by('stream-lost'), /as of \d+ s ago/);
    const age = await console.cell(ada, 'age').innerText();
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-lost');
    expect(await console.cell(ada, 'age').innerText()).toBe(age);
    await stack.startApi();
    await console.untilState('live');
    await console.by('stream-lost').waitFor({ state: 'detached' });
    await stack.request('POST', '/api/session/end', { sessionId: ada });
    await console.row(ada).waitFor({ state: 'detached' });
  });

  test('what was refused for good is not said to reconnect: a button connects again', async () => {
    window = await browser.open();
    const stream = '**/api/sessions/events';
    await window.route(stream, (route) =>
      route.fulfill({ status: 404, json: { code: 'not_found', detail: 'There is no such stream.' } }),
    );
    const console = await ConsolePage.open(stack, window);
    await console.signIn(stack.adminToken);
    await console.untilState('over');
    await console.untilText(console.by('stream-over'), 'There is no such stream.');
    expect(await findViolations(console.page)).toEqual([]);
    await window.unroute(stream);
    await console.by('connect-again').click();
    await console.untilState('live');
  });
});

describe('what an operator does', () => {
  test('ends all that match a filter, once the number of them was confirmed', async () => {
    const ids = await Promise.all([start('ada'), start('adam'), start('grace')]);
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window);
    await console.by('filter-q').fill('ada');
    await console.by('end-matching').click();
    await console.untilText(console.by('end-count'), '2 sessions match right now');
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-end');
    // The address may go elsewhere meanwhile: what is read stays what is done.
    await console.page.evaluate(() => {
      history.replaceState(null, '', '/console?q=grace');
      dispatchEvent(new PopStateEvent('popstate'));
    });
    await waitFor(async () => (await console.by('filter-q').inputValue()) === 'grace');
    expect(await console.by('end-dialog').innerText()).toMatch(/Search\s+ada/);
    await console.by('end-reason').fill('maintenance');
    await console.untilText(console.by('end-confirm'), 'End 2 sessions');
    await console.by('end-confirm').click();
    await console.by('end-done').getByText('2 sessions asked to end').waitFor();
    expect(await findViolations(console.page)).toEqual([]);
    await console.by('end-close').click();
    await console.by('filter-q').fill('');
    await console.row(ids[0]).waitFor({ state: 'detached' });
    await console.row(ids[1]).waitFor({ state: 'detached' });
    await console.row(ids[2]).waitFor();
    const ended = await waitFor(async () => {
      const { status, body } = await stack.request('GET', `/api/session/${ids[0]}`);
      return status === 404 ? body : undefined;
    });
    expect(ended).toMatchObject({ code: 'session_ended', endReason: 'admin_ended' });
  });

  test('ends a call, and its caller sees why', async () => {
    window = await browser.open();
    const caller = await CallPage.open(stack, window);
    await caller.start('Ada');
    const sessionId = await caller.sessionId();
    const console = await ConsolePage.enter(stack, window, `/console?q=${sessionId}`);
    await console.untilText(console.cell(sessionId, 'user'), 'Ada');
    await console.by('end-matching').click();
    await console.untilText(console.by('end-confirm'), 'End 1 session');
    await console.by('end-confirm').click();
    await caller.expectOver('admin_ended');
  });

  test('resizes the pool and watches it fill; gives it another policy', async () => {
    await untilPool(1);
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window, '/console/hosts');
    const pool = console.by('pool-default');
    await console.by('resize-default').click();
    await console.by('resize-size').fill('4');
    await console.by('resize-dialog').getByText('3 more will be started.').waitFor();
    expect(await findViolations(console.page)).toEqual([]);
    await console.by('resize-confirm').click();
    await console.untilText(pool.getByTestId('pool-target'), '4');
    await console.untilText(pool.getByTestId('pool-ready'), '4');
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-hosts');

    await console.by('policy-default').click();
    await console.by('policy-kind').selectOption('buffer');
    await console.by('policy-size').fill('2');
    await console.by('policy-max').fill('2');
    await console.untilText(
      console.by('policy-effect'),
      'for 2 more callers, never fewer than 0 nor more than 2',
    );
    await takePictures(console.page, 'console-policy');
    await console.by('policy-min').fill('3');
    await console.by('policy-confirm').click();
    await console.by('policy-problem').getByText('max').waitFor();
    expect(await findViolations(console.page)).toEqual([]);
    await console.by('policy-min').fill('0');
    await console.by('policy-confirm').click();
    await console.untilText(pool, 'buffer of 2, 0 to 2');
    await console.untilText(pool.getByTestId('pool-ready'), '2');

    await console.by('policy-default').click();
    await console.by('policy-kind').selectOption('schedule');
    await console.by('policy-timeZone').fill('Europe/Dublin');
    await console.by('policy-base').fill('0');
    await console.by('entry-0-cron').fill('* * * * *');
    await console.by('entry-0-size').fill('3');
    await console.by('add-entry').click();
    await console.by('entry-1-cron').fill('0 0 30 2 *');
    expect(await findViolations(console.page)).toEqual([]);
    await takePictures(console.page, 'console-schedule');
    await console.by('policy-confirm').click();
    await console.by('policy-problem').waitFor();
    await console.page.getByRole('button', { name: 'Remove entry 2' }).click();
    await console.by('policy-confirm').click();
    await console.untilText(pool, 'by schedule, 1 entry, else 0');
    await console.untilText(pool.getByTestId('pool-target'), '3');
    await console.untilText(pool.getByTestId('pool-ready'), '3');
  });

  test('opens the queue page in a tab of its own', async () => {
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window);
    const [tab] = await Promise.all([window.waitForEvent('page'), console.by('nav-queues').click()]);
    await tab.waitForURL(`${stack.webUrl}/api/admin/queues`);
    await tab.getByText('spawn', { exact: true }).first().waitFor();
    expect(await tab.evaluate(() => globalThis.opener)).toBeNull();
    expect(tab.url()).not.toContain(stack.adminToken);
    // Else it would hold the token after the console was left, too.
    expect(await tab.evaluate('JSON.stringify(sessionStorage)')).not.toContain(stack.adminToken);
  });

  test('drains a host and lets it take work again', async () => {
    await untilPool(1);
    await start('ada');
    window = await browser.open();
    const console = await ConsolePage.enter(stack, window, '/console/hosts');
    await console.by('drain-test-host').click();
    await console.by('host-dialog').getByText('Its 1 call goes on until it ends').waitFor();
    expect(await findViolations(console.page)).toEqual([]);
    await console.by('host-confirm').click();
    await console.untilText(console.by('drain-note'), '1 call left');
    await console.untilText(console.by('host-warm'), '0');
    expect(await findViolations(console.page)).toEqual([]);
    await console.by('undrain-test-host').click();
    await console.by('host-confirm').click();
    await console.by('drain-test-host').waitFor();
    await console.untilText(console.by('host-warm'), '1');
  });
});

async function start(userId: string, userName?: string): Promise<string> {
  const { body } = await stack.request('POST', '/api/session/start', {
    userId,
    ...(userName && { userName }),
  });
  expect(body).toMatchObject({ success: true });
  return body.sessionId;
}

async function callers(): Promise<number> {
  const { sessions } = (await stack.request('GET', '/api/sessions?limit=200')).body;
  return sessions.filter(({ status }: { status: string }) => status !== 'pooled' && status !== 'starting')
    .length;
}

function untilPool(ready: number): Promise<unknown> {
  return waitFor(async () => (await stack.request('GET', '/api/pool')).body.ready === ready, {
    timeoutMs: 15_000,
  });
}
