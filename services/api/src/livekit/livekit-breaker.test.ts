import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@greenroom/contracts';
import { Gauge, Registry } from '@greenroom/service-kit';
import { startLiveKit, type TestLiveKit, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { askLiveKit, LiveKitBreaker } from './livekit-breaker.js';

let livekit: TestLiveKit;
let breaker: LiveKitBreaker;
let asked: number;
let timesOpened: number;
let gauge: Gauge;
beforeAll(async () => {
  livekit = await startLiveKit();
});
afterAll(() => livekit.stop());
beforeEach(() => {
  asked = 0;
  timesOpened = 0;
  const { url: livekitUrl, apiKey: livekitApiKey, apiSecret: livekitApiSecret } = livekit;
  const ask = askLiveKit({ livekitUrl, livekitApiKey, livekitApiSecret });
  gauge = new Gauge({ name: 'open', help: 'open', registers: [new Registry()] });
  breaker = new LiveKitBreaker({
    ask: () => {
      asked += 1;
      return ask();
    },
    gauge,
    logger: { warn: () => (timesOpened += 1), info: () => undefined } as never,
  });
});
afterEach(() => breaker.close());

const gaugeValue = async () => (await gauge.get()).values[0]?.value;

test('a LiveKit that answers keeps it closed, however much it is suspected', async () => {
  for (let i = 0; i < 20; i += 1) breaker.suspect();
  await sleep(200);
  expect(breaker.isOpen).toBe(false);
  expect(asked).toBe(1);
  breaker.admit();
});

test('one slow answer does not open it', async () => {
  livekit.pause();
  breaker.suspect();
  await sleep(700);
  livekit.resume();
  await sleep(600);
  expect(timesOpened).toBe(0);
});

test('a LiveKit that is away opens it at once, and its return closes it within a second', async () => {
  await livekit.kill();
  breaker.suspect();
  await waitFor(() => breaker.isOpen, { timeoutMs: 200 });
  expect(await gaugeValue()).toBe(1);
  const refused = catchError(() => breaker.admit());
  expect(refused).toBeInstanceOf(CodedError);
  expect(refused).toMatchObject({ code: 'livekit_unavailable', retryAfterSeconds: 2 });
  await sleep(1500);
  expect(breaker.isOpen).toBe(true);
  await livekit.restart();
  await waitFor(() => !breaker.isOpen, { timeoutMs: 1000 });
  expect(await gaugeValue()).toBe(0);
  breaker.admit();
});

test('one that hangs opens it, and closes it when it goes on', async () => {
  livekit.pause();
  breaker.suspect();
  await waitFor(() => breaker.isOpen, { timeoutMs: 1500 });
  livekit.resume();
  await waitFor(() => !breaker.isOpen, { timeoutMs: 1500 });
});

test('while it is closed nothing is asked', async () => {
  breaker.suspect();
  await sleep(1000);
  expect(asked).toBe(1);
});

test('a LiveKit that refuses our key is there', async () => {
  const { url: livekitUrl, apiKey: livekitApiKey } = livekit;
  await askLiveKit({ livekitUrl, livekitApiKey, livekitApiSecret: 'x'.repeat(40) })();
});

function catchError(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
