import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FakeClock, makeFakeClock } from './fake-clock.js';
import { baseEnvironment, startProcess } from './process.js';

let clock: FakeClock;
beforeAll(async () => {
  clock = await makeFakeClock();
});
afterAll(() => clock.remove());

const PRINTS_ITS_CLOCK = `setInterval(() => console.log(Math.round((Date.now() - ${Date.now()}) / 60_000),
  performance.now() < 60_000 ? 'steady' : 'jumped'), 50)`;

test('moves the wall clock of a running program, either way, and not its monotonic one', async () => {
  const program = await startProcess({
    command: process.execPath,
    args: ['-e', PRINTS_ITS_CLOCK],
    env: { ...baseEnvironment(), ...clock.env },
  });
  try {
    expect(await program.waitForLine(/^0 steady$/)).toBeTruthy();
    clock.set(3600);
    expect(await program.waitForLine(/^60 steady$/)).toBeTruthy();
    clock.set(-3600);
    expect(await program.waitForLine(/^-60 steady$/)).toBeTruthy();
  } finally {
    await program.stop();
  }
});
