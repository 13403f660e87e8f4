import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { BrowserContext } from 'playwright-core';
import { endSession, sessionOf, startReady, startSession, waitForPool } from '../support/sessions.js';
import { openBrowser } from './support/browser.js';
import { CallPage } from './support/call-page.js';
import { type CallStack, startCallStack } from './support/call-stack.js';

let it: CallStack;
let window: BrowserContext;

beforeAll(async () => {
  it = await startCallStack();
}, 120_000);
afterEach(async () => {
  await window?.close();
  await it.clear();
});
afterAll(() => it?.stop(), 60_000);

test('a refused microphone is explained, the call goes on by text, and silence is asked about', async () => {
  window = await it.browser.open({ microphone: 'denied' });
  const caller = await CallPage.open(it.stack, window);
  await caller.start('Ada', 'patient');
  await caller.untilTalking();
  await waitFor(async () => (await caller.by('notice-microphone').getAttribute('data-why')) === 'refused');
  await caller.look('call-no-microphone');
  await caller.untilSaid('agent', /Hello, Ada/);
  await caller.type('What is my name?');
  await caller.untilSaid('agent', /Your name is Ada/);
  await caller.untilSaid('note', /It was quiet: the agent asks whether you are there \(1 of/);

  // A tab that a browser brings back, in which nobody has clicked and which has no microphone, may not make a sound.
  const [before] = await caller.identities();
  const back = await caller.restore(window);
  // Whatever is asked of the page counts as a click: so it is left alone until it has tried to play.
  await waitFor(async () => (await caller.identities()).some((identity) => identity !== before));
  await sleep(2_000);
  await back.untilTalking();
  await back.look('call-no-sound');
  await back.by('fix-sound').click();
  await back.by('notice-sound').waitFor({ state: 'hidden' });
  const isPlaying = () => [...document.querySelectorAll('audio')].some((audio) => !audio.paused);
  await waitFor(() => back.page.evaluate(isPlaying));

  // Whoever allows it after all need not tell the page.
  await window.grantPermissions(['microphone']);
  await waitFor(async () => (await back.by('mute').getAttribute('data-microphone')) === 'on');
  // Now the browser names them, and another one can be picked.
  const microphones = back.by('microphones');
  await waitFor(() => microphones.isEnabled());
  await microphones.selectOption({ label: 'Fake Audio Input 1' });
  const picked = () => microphones.locator('option:checked').innerText();
  await waitFor(async () => (await picked()) === 'Fake Audio Input 1');
  await back.by('end').click();
  await back.expectOver('caller_ended');
}, 120_000);

test('a full house: the place in line, a turn that comes, and a line that is left', async () => {
  await waitForPool(it.stack, 1, 30_000);
  const places = [await startSession(it.stack), await startSession(it.stack)];
  window = await it.browser.open();
  const caller = await CallPage.open(it.stack, window);
  await caller.start('Ada');
  await caller.by('step-line').filter({ hasText: 'In line, number 1' }).waitFor();
  await caller.look('call-in-line');
  const second = await CallPage.open(it.stack, window);
  await second.start('Grace');
  await second.by('step-line').filter({ hasText: 'In line, number 2' }).waitFor();
  expect(await second.by('step-now').innerText()).toBe('In line, number 2');

  // A reload keeps the place.
  await second.page.reload();
  await second.by('step-line').filter({ hasText: 'In line, number 2' }).waitFor();
  const waiting = await second.sessionId();
  await second.by('end').click();
  await second.by('lobby').waitFor();
  await waitFor(async () => (await sessionOf(it.stack, waiting)).endReason === 'caller_ended');

  // A screen reader is told each step, once.
  expect(await caller.by('step-now').innerText()).toBe('In line, number 1');
  await endSession(it.stack, places[0] ?? '');
  await caller.untilTalking();
  expect(await caller.by('step-now').innerText()).toBe('Ready to talk');
  await caller.untilSaid('note', /Ready to talk after \d+(\.\d)? s/);
  await caller.untilSaid('agent', /Hello, Ada/);
  expect(await caller.shifts()).toBeLessThan(0.02);
  await caller.by('end').click();
  await endSession(it.stack, places[1] ?? '');
}, 120_000);

test('the steps of a start with their seconds; one that fails says where and why, and offers another', async () => {
  window = await it.browser.open();
  const caller = await CallPage.open(it.stack, window);
  await caller.start('Ada', 'slow');
  await waitFor(async () => (await caller.by('step-starting').innerText()).includes('1.'));
  expect(await caller.by('step-asked').getAttribute('data-state')).toBe('done');
  // The caller is in the room while the agent still starts.
  await waitFor(async () => (await caller.identities()).length === 1);
  expect((await caller.view()).body['status']).toBe('starting');
  expect(await caller.by('step-starting').getAttribute('data-state')).toBe('now');
  await caller.look('call-starting');
  await caller.by('end').click();
  await caller.by('lobby').waitFor();

  await caller.start('Ada', 'broken');
  await caller.by('problem').waitFor();
  expect(await caller.by('step-starting').getAttribute('data-state')).toBe('failed');
  await caller.look('call-failed');
  const failed = await caller.sessionId();
  await caller.by('retry').click();
  // It fails as quickly as it is tried: that it is another one stays to be seen.
  await waitFor(async () => (await caller.by('call').getAttribute('data-session')) !== failed);
  await caller.by('problem').waitFor();
  expect(await caller.sessionId()).not.toBe(failed);
  await caller.by('back').click();
  await caller.by('lobby').waitFor();
}, 120_000);

test('without any microphone, and with a network that loses a part of the page at first, the call is there all the same', async () => {
  const browser = await openBrowser({ hasMicrophone: false });
  window = await browser.open();
  let lost = 0;
  await window.route(/room-parts.*js/, (route) => ((lost += 1) < 3 ? route.abort() : route.continue()));
  const caller = await CallPage.open(it.stack, window);
  await caller.start('Ada');
  await caller.untilTalking();
  await waitFor(async () => (await caller.by('notice-microphone').getAttribute('data-why')) === 'missing');
  expect(lost).toBe(3);
  await caller.by('end').click();
  await browser.close();
}, 120_000);

test('an address to which browsers give no microphone: that is said, and the call goes on by text', async () => {
  const browser = await openBrowser({ hostName: 'greenroom.test' });
  window = await browser.open();
  const uncaught: string[] = [];
  window.on('weberror', (error) => uncaught.push(String(error.error())));
  const url = it.stack.webUrl.replace('localhost', 'greenroom.test');
  const caller = await CallPage.open(it.stack, window, url);
  await caller.start('Ada');
  await caller.untilTalking();
  await waitFor(async () => (await caller.by('notice-microphone').getAttribute('data-why')) === 'insecure');
  expect(await caller.by('mute').isDisabled()).toBe(true);
  expect(await caller.by('microphones').count()).toBe(0);
  await caller.untilSaid('agent', /Hello, Ada/);
  await caller.type('What is my name?');
  await caller.untilSaid('agent', /Your name is Ada/);
  expect(uncaught).toEqual([]);
  await caller.by('end').click();
  await browser.close();
}, 120_000);

test('a tab that is closed while it joins leaves nobody behind in the room', async () => {
  window = await it.browser.open();
  // LiveKit has this caller, whose browser does not know yet that it is connected.
  await window.addInitScript(() => {
    Object.defineProperty(RTCPeerConnection.prototype, 'connectionState', { get: () => 'connecting' });
  });
  const caller = await CallPage.open(it.stack, window);
  await caller.start('Ada');
  await waitFor(async () => (await caller.activeIdentities()).length === 1);
  await caller.page.close({ runBeforeUnload: true });
  // LiveKit itself misses those who are gone without a word some 20 seconds later.
  await waitFor(async () => (await caller.identities()).length === 0, { timeoutMs: 5_000 });
}, 60_000);

test('where a key is wanted it is asked for, and a service that is full says when to try again', async () => {
  await it.stack.api.stop();
  window = await it.browser.open();
  const caller = await CallPage.open(it.stack, window);
  await caller.by('profiles-problem').waitFor();
  await caller.look('call-no-api');
  await it.stack.startApi({ CLIENT_API_KEYS: 'key-of-a-client', QUEUE_MAX: '0', MAX_SESSIONS: '1' });
  await caller.by('profiles-problem').getByRole('button').click();
  await caller.by('key').fill('key-of-somebody-else');
  await caller.by('key').blur();
  await caller.by('key-refused').waitFor();
  await caller.look('call-key');
  await caller.by('key').fill('key-of-a-client');
  await caller.by('key').blur();
  await caller.by('kinds').locator('input').first().waitFor();

  // One that is surely there: a start that fails here has one attempt, and would leave its place to Ada.
  const place = await startReady(it.stack, {}, 20_000);
  await caller.start('Ada');
  await caller.by('problem').waitFor();
  expect(await caller.by('problem').getAttribute('data-code')).toBe('at_capacity');
  expect(await caller.by('retry').innerText()).toMatch(/^Try again in \d+ s$/);
  expect(await caller.by('retry').isDisabled()).toBe(true);
  await caller.look('call-full');
  await endSession(it.stack, place);
  await waitFor(() => caller.by('retry').isEnabled(), { timeoutMs: 30_000 });
  await caller.by('retry').click();
  await caller.untilTalking();
  // The key is in no address, and in nothing that another tab could read.
  expect(caller.page.url()).not.toContain('key');
  expect(await caller.page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  await caller.by('end').click();
}, 120_000);
