import { setTimeout as sleep } from 'node:timers/promises';
import type { PhoneCall } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { PhoneExchange } from '../../testing/phone-exchange.js';

/** Several calls at once, of which two apis hear and both send commands, while Telnyx is not at its best. */
const SILENCE_MS = 1_000;
const CALLS = 12;
const SETTINGS = {
  silence_timeout_normal: SILENCE_MS / 1000,
  disconnect_delay: 0.4,
  max_checkins_before_disconnect: 1,
};
let exchange: PhoneExchange;
let calls: { call: PhoneCall; sessionId: string }[];

jest.setTimeout(30_000);
beforeAll(async () => {
  exchange = await PhoneExchange.open({ maxSessions: CALLS + 1, settings: SETTINGS });
});
afterAll(() => exchange.close());
afterEach(() => exchange.clear());

async function connectAll(): Promise<void> {
  calls = await Promise.all(Array.from({ length: CALLS }, () => exchange.connect()));
}

/** From the answer to the hang-up, each step of each call has happened, once. */
async function expectEachStepOnce(): Promise<void> {
  for (const { call, sessionId } of calls) {
    await call.waitForCommand('hangup', 1, 20_000);
    await exchange.nothingIsLeft(call);
    for (const action of ['answer', 'transfer', 'speak', 'hangup']) {
      expect([action, call.commands(action).length]).toEqual([action, 1]);
    }
    expect(await exchange.endOf(sessionId)).toBe('dead_air');
  }
}

/** What was counted since. */
async function since(before: Readonly<Record<string, number>>, outcome: string): Promise<number> {
  return ((await exchange.attempts())[outcome] ?? 0) - (before[outcome] ?? 0);
}

test('that answers each command later than anybody waits does each once, and is never left alone', async () => {
  await connectAll();
  const before = await exchange.attempts();
  exchange.telnyx.disturb({ kind: 'slow', ms: 2_300 });
  await expectEachStepOnce();
  expect(await since(before, 'late')).toBeGreaterThan(CALLS);
  expect(await since(before, 'held_back')).toBe(0);
  expect(await since(before, 'failed')).toBe(0);
});

test.each([
  ['fails', { kind: 'fail', status: 503 }],
  ['does what it is asked and cuts the connection in place of the answer', { kind: 'lose' }],
] as const)('that %s for two seconds has all of it soon after, each once', async (_, fault) => {
  const before = await exchange.attempts();
  // From before the first silence, or a slow machine has said something by then.
  exchange.telnyx.disturb(fault, Infinity, (_, action) => action === 'speak' || action === 'hangup');
  await connectAll();
  await sleep(SILENCE_MS + 2_000);
  expect(await since(before, 'held_back')).toBeGreaterThan(0);
  // Without a breaker each call's four attempts in that time would reach it, from both apis.
  expect(await since(before, 'failed')).toBeLessThan(4 * CALLS);
  exchange.telnyx.mend();
  const mendedAt = Date.now();
  const asked = await Promise.all(calls.map(({ call }) => call.waitForCommand('speak')));
  expect(Math.max(...asked.map(({ at }) => at)) - mendedAt).toBeLessThan(3_500);
  await expectEachStepOnce();
});

test('that hangs for one call keeps no other call waiting', async () => {
  await connectAll();
  const { call: stuck } = calls.shift()!;
  exchange.telnyx.disturb({ kind: 'hang' }, 1_000, (call) => call === stuck);
  await expectEachStepOnce();
  for (const { call } of calls) {
    // Behind the one that hangs each would have waited 2 s and more.
    const [hangup] = call.commands('hangup');
    expect(hangup!.at - eventAt(call, 'call.speak.ended')).toBeLessThan(2_000);
  }
  exchange.telnyx.mend();
  await stuck.waitForCommand('hangup');
  await exchange.nothingIsLeft(stuck);
});

function eventAt(call: PhoneCall, type: string): number {
  return Date.parse(call.events.find(({ event_type }) => event_type === type)!.occurred_at);
}

test('that refuses the transfer of a call for now keeps nobody from asking, and from hanging up', async () => {
  exchange.telnyx.disturb({ kind: 'fail', status: 403 }, 1_000, (_, action) => action === 'transfer');
  const call = exchange.telnyx.dial();
  await call.waitForCommand('answer');
  await exchange.launch((await exchange.schema.calls.read(call.id))?.sessionId ?? '');
  await exchange.agentIsThere(call);
  await call.waitForCommand('speak');
  await call.waitForCommand('hangup');
  await exchange.nothingIsLeft(call);
});
