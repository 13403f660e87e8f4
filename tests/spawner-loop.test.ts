import { fileURLToPath } from 'node:url';
import { baseEnvironment, type RunningProcess, startProcess, waitFor } from '@greenroom/test-kit';
import { afterEach, expect, test } from '@jest/globals';

const LOOP = fileURLToPath(new URL('../infra/docker/spawner-loop.sh', import.meta.url));
/** Leaves 400 ms after SIGHUP, as a spawner takes a moment; says what it heard. */
const STAND_IN = `
  process.on('SIGTERM', () => { console.log('TERM'); process.exit(0); });
  process.on('SIGHUP', () => { console.log('HUP'); setTimeout(() => process.exit(0), 400); });
  setInterval(() => {}, 1000);
  console.log('listens');
`;

let loop: RunningProcess;
afterEach(async () => {
  await loop.stop();
});

async function startLoop(mode: 'drain' | 'handover', program = STAND_IN): Promise<void> {
  loop = await startProcess({
    name: 'spawner loop',
    command: LOOP,
    args: [process.execPath, '-e', program],
    env: { ...baseEnvironment(), SHUTDOWN_MODE: mode },
    readyWhen: { line: /listens|starts/ },
  });
}

const heard = (): string[] => loop.output().match(/\b(starts|listens|HUP|TERM)\b/g) ?? [];

test('SIGHUP, and SIGTERM before the spawner has left: with drain the next one is told, and waits for the calls', async () => {
  await startLoop('drain');
  loop.signal('SIGHUP');
  await waitFor(() => heard().includes('HUP'));
  loop.signal('SIGTERM');
  expect(await loop.exited).toEqual({ code: 0, signal: null });
  expect(heard()).toEqual(['listens', 'HUP', 'listens', 'TERM']);
});

test('with handover nobody waits for them, and nothing is started again', async () => {
  await startLoop('handover');
  loop.signal('SIGHUP');
  await waitFor(() => heard().includes('HUP'));
  loop.signal('SIGTERM');
  expect(await loop.exited).toEqual({ code: 0, signal: null });
  expect(heard()).toEqual(['listens', 'HUP']);
});

test('SIGTERM that comes before the spawner listens kills it: with drain the next one is told', async () => {
  await startLoop('drain', `console.log('starts'); setTimeout(() => {${STAND_IN}}, 500);`);
  loop.signal('SIGTERM');
  expect(await loop.exited).toEqual({ code: 0, signal: null });
  expect(heard()).toEqual(['starts', 'starts', 'listens', 'TERM']);
});

test('a second SIGTERM is passed on: it hurries', async () => {
  const slow = `
    let count = 0;
    process.on('SIGTERM', () => { console.log('TERM'); if (++count === 2) process.exit(0); });
    setInterval(() => {}, 1000);
    console.log('listens');
  `;
  await startLoop('drain', slow);
  loop.signal('SIGTERM');
  await waitFor(() => heard().includes('TERM'));
  loop.signal('SIGTERM');
  expect(await loop.exited).toEqual({ code: 0, signal: null });
  expect(heard()).toEqual(['listens', 'TERM', 'TERM']);
});
