import { fileURLToPath } from 'node:url';
import { startProcess } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';

const SCRIPT = fileURLToPath(new URL('../../../scripts/dead-air-timeline.mjs', import.meta.url));

test('apis and the spawner are killed in the middle of silences: no step moves by more than a second', async () => {
  const run = await startProcess({
    name: 'dead-air-timeline',
    command: process.execPath,
    args: [SCRIPT, '--kills'],
    env: process.env,
  });
  const { code } = await run.exited;
  const output = run.output();
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  expect(output.match(/is killed/g)?.length).toBeGreaterThan(5);
  const killed = new Set(output.match(/\S+(?= is killed)/g));
  expect([...killed].sort()).toEqual(['api-1', 'api-2', 'api-3', 'api-4', 'spawner-1']);
}, 240_000);
