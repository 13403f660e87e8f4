import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { sendSignal } from '../../scripts/lib/proc.mjs';

const LOOP = join(ROOT, 'infra/docker/spawner-loop.sh');
/** Leaves 400 ms after SIGHUP, as a spawner takes a moment; says what it heard. */
const STAND_IN = `
  process.on('SIGTERM', () => { console.log('TERM'); process.exit(0); });
  process.on('SIGHUP', () => { console.log('HUP'); setTimeout(() => process.exit(0), 400); });
  setInterval(() => {}, 1000);
  console.log('listens');
`;

let loop;
afterEach(() => sendSignal(loop.pid, 'SIGKILL'));

function startLoop(env, program = STAND_IN) {
  loop = spawn(LOOP, [process.execPath, '-e', program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  loop.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const exited = once(loop, 'exit');
  return {
    exited,
    lines: () => text.split('\n').filter((line) => line !== ''),
    async until(count) {
      while (text.split('\n').length <= count) await sleep(20);
    },
  };
}

test('SIGHUP, and SIGTERM before the spawner has left: with drain the next one is told, and waits for the calls', async () => {
  const { exited, lines, until } = startLoop({ SHUTDOWN_MODE: 'drain' });
  await until(1);
  loop.kill('SIGHUP');
  await until(2);
  loop.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines()).toEqual(['listens', 'HUP', 'listens', 'TERM']);
});

test('with handover nobody waits for them, and nothing is started again', async () => {
  const { exited, lines, until } = startLoop({ SHUTDOWN_MODE: 'handover' });
  await until(1);
  loop.kill('SIGHUP');
  await until(2);
  loop.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines()).toEqual(['listens', 'HUP']);
});

test('SIGTERM that comes before the spawner listens kills it: with drain the next one is told', async () => {
  const { exited, lines, until } = startLoop(
    { SHUTDOWN_MODE: 'drain' },
    `console.log('starts'); setTimeout(() => {${STAND_IN}}, 500);`,
  );
  await until(1);
  loop.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines()).toEqual(['starts', 'starts', 'listens', 'TERM']);
});

test('a second SIGTERM is passed on: it hurries', async () => {
  const { exited, lines, until } = startLoop(
    { SHUTDOWN_MODE: 'drain' },
    `let heard = 0;
     process.on('SIGTERM', () => { console.log('TERM'); if (++heard === 2) process.exit(0); });
     setInterval(() => {}, 1000);
     console.log('listens');`,
  );
  await until(1);
  loop.kill('SIGTERM');
  await until(2);
  loop.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines()).toEqual(['listens', 'TERM', 'TERM']);
});
