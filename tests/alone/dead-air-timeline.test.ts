import { fileURLToPath } from 'node:url';
import { startProcess } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../scripts/dead-air-timeline.mjs', import.meta.url));

// The whole one: npm run test:dead-air
test('silent phone calls over four apis, shortened: every step comes at its time', async () => {
  const run = await startProcess({
    name: 'dead-air-timeline',
    command: process.execPath,
    args: [SCRIPT, '--apis', '4', '--calls', '24', '--short', '--no-kills'],
    env: process.env,
  });
  const { code } = await run.exited;
  const output = run.output();
  expect({ code, verdict: /^VERDICT.*$/m.exec(output)?.[0], output: code === 0 ? '' : output }).toEqual({
    code: 0,
    verdict: 'VERDICT: passed',
    output: '',
  });
  // It has seen something, too.
  expect(output).toMatch(/hang-up: 5 s after the second +[2-9]/);
}, 180_000);
