import { fileURLToPath } from 'node:url';
import { startProcess } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../scripts/chaos.mjs', import.meta.url));

// The whole one: npm run chaos -- --pairs 1000 --minutes 5
test('random starts and ends under random faults, shortened: nothing is lost, doubled or left', async () => {
  const chaos = await startProcess({
    name: 'chaos',
    command: process.execPath,
    args: [SCRIPT, '--seed', '5', '--pairs', '40', '--seconds', '14', '--settle', '15'],
    env: process.env,
  });
  const { code } = await chaos.exited;
  const output = chaos.output();
  expect({ code, verdict: /^VERDICT.*$/m.exec(output)?.[0], output: code === 0 ? '' : output }).toEqual({
    code: 0,
    verdict: 'VERDICT: passed',
    output: '',
  });
  // It has done something, too.
  expect(Number(/accepted (\d+)/.exec(output)?.[1])).toBeGreaterThan(20);
  expect(output.match(/healed of/g)?.length).toBeGreaterThan(3);
}, 240_000);
