import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { makeTempDir, type TempDir, waitFor } from '@greenroom/test-kit';
import type { BrowserContext } from 'playwright-core';
import { waitForPool } from '../support/sessions.js';
import { openBrowser, type TestBrowser, watchForErrors } from './support/browser.js';
import { CallPage } from './support/call-page.js';
import { findViolations, takePictures } from './support/look.js';
import { hearLevel } from './support/sound.js';
import { speakToFile } from './support/speech.js';
import { startWebStack, type WebStack } from './support/web-stack.js';

let dir: TempDir;
let stack: WebStack;
let browser: TestBrowser;
let window: BrowserContext;

beforeAll(async () => {
  dir = await makeTempDir('web-call');
  const microphoneWav = await speakToFile(join(dir.path, 'question.wav'), 'what time is it');
  [stack, browser] = await Promise.all([
    startWebStack({ env: { MAX_SESSIONS: '2', POOL_TARGET: '1', LEAVE_GRACE: '4' } }),
    openBrowser({ microphoneWav }),
  ]);
}, 60_000);
afterEach(() => window?.close());
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await dir?.remove();
}, 60_000);

describe('a call', () => {
  test('is asked for, heard, spoken, typed, understood and ended', async () => {
    await waitForPool(stack, 1, 30_000);
    window = await browser.open();
    const caller = await CallPage.open(stack, window);
    const errors = watchForErrors(caller.page);
    await caller.by('kinds').locator('input').first().waitFor();
    expect(await findViolations(caller.page)).toEqual([]);
    await takePictures(caller.page, 'call-lobby', { fullPage: true });

    await caller.start('Ada');
    await caller.untilTalking();
    expect(await waitFor(async () => (await hearLevel(caller.page, 300)) > 0.02, { timeoutMs: 10_000 })).toBe(
      true,
    );
    await caller.untilSaid('agent', /Hello, Ada/);
    await caller.untilSaid('user', /what time is it/);
    await caller.untilSaid('agent', /It is \d{1,2}:\d{2}/);
    await takePictures(caller.page, 'call-talking');
    expect(await findViolations(caller.page)).toEqual([]);
    await caller.by('say').fill('What is my name?');
    await caller.by('say').press('Enter');
    await caller.untilSaid('agent', /Your name is Ada/);

    await caller.by('end').click();
    await caller.expectOver('caller_ended');
    await takePictures(caller.page, 'call-over');
    expect(await findViolations(caller.page)).toEqual([]);
    await caller.by('copy').click();
    const copied = await caller.page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^Agent: Hello, Ada[^]*^Ada: what time is it$[^]*^Ada: What is my name\?$/m);
    expect(await caller.shifts()).toBeLessThan(0.02);
    expect(errors).toEqual([]);
  }, 60_000);
});
