import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createShutdown, type ShutdownPhase } from './shutdown.js';

function build(phases: ShutdownPhase[]) {
  const log: string[] = [];
  const write = (message: string, fields?: { phase?: string }) =>
    void log.push(fields?.phase ? `${fields.phase}: ${message}` : message);
  const logger = { info: write, warn: write } as never;
  return { shutdown: createShutdown({ logger, phases }), log };
}

test('phases run in order, each once, and one that fails or hangs does not stop the next', async () => {
  const ran: string[] = [];
  const { shutdown, log } = build([
    { name: 'first', capMs: 1000, run: () => void ran.push('first') },
    { name: 'fails', capMs: 1000, run: () => Promise.reject(new Error('no')) },
    { name: 'hangs', capMs: 20, run: () => new Promise(() => undefined) },
    { name: 'last', capMs: 1000, run: () => void ran.push('last') },
  ]);
  expect(shutdown.hasStarted()).toBe(false);
  await Promise.all([shutdown.run('test'), shutdown.run('again')]);
  expect(shutdown.hasStarted()).toBe(true);
  expect(ran).toEqual(['first', 'last']);
  expect(log).toEqual([
    'shutting down',
    '1/4 first: shutdown phase done',
    '2/4 fails: shutdown phase failed, going on',
    '3/4 hangs: shutdown phase took too long, going on',
    '4/4 last: shutdown phase done',
  ]);
});

test('a signal shuts down and exits, a second one hurries the phase that waits', async () => {
  const { shutdown } = build([
    {
      name: 'wait',
      capMs: 5000,
      run: (hurry) => sleep(5000, undefined, { signal: hurry }).catch(() => undefined),
    },
  ]);
  const signals = new EventEmitter();
  const exitCode = new Promise<number>((resolve) => shutdown.listen(signals, resolve));
  const startedAt = performance.now();
  signals.emit('SIGTERM', 'SIGTERM');
  signals.emit('SIGINT', 'SIGINT');
  expect(await exitCode).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
