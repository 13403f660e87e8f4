import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { applyCrashPolicy } from './crash-policy.js';

function build(run: () => Promise<void>, capMs = 1000) {
  const events = new EventEmitter();
  const logged: string[] = [];
  const exited = new Promise<number>((resolve) => {
    applyCrashPolicy(
      {
        logger: { error: (message: string) => void logged.push(message) } as never,
        shutdown: { run },
        exit: resolve,
        capMs,
      },
      events,
    );
  });
  return { events, logged, exited };
}

test('a rejection is logged and serving goes on', async () => {
  let stopped = false;
  const { events, logged } = build(async () => {
    stopped = true;
  });
  events.emit('unhandledRejection', new Error('stray'));
  expect(logged).toHaveLength(1);
  expect(stopped).toBe(false);
});

test('an uncaught exception stops in order and exits with 1', async () => {
  let stopped = false;
  const { events, exited } = build(async () => {
    stopped = true;
  });
  events.emit('uncaughtException', new Error('broken'));
  expect(await exited).toBe(1);
  expect(stopped).toBe(true);
});

test('a shutdown that hangs after a crash is cut off', async () => {
  // The cap's timer does not hold the process: this one does while the test waits.
  const holding = setInterval(() => undefined, 10);
  const { events, exited } = build(() => new Promise(() => undefined), 30);
  events.emit('uncaughtException', new Error('broken'));
  expect(await exited).toBe(1);
  clearInterval(holding);
});
