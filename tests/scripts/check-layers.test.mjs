import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../scripts/lib/run-step.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { findLayerBreaks } from '../../scripts/lib/layers/check.mjs';

let root;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'greenroom-layers-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(files) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const manifest = (name, dependencies = {}, devDependencies = {}) => ({
  name: `@greenroom/${name}`,
  dependencies,
  devDependencies,
});

const knows = (...names) => Object.fromEntries(names.map((name) => [`@greenroom/${name}`, 'workspace:*']));

test('the repository itself keeps its layers', () => {
  expect(findLayerBreaks(ROOT)).toEqual([]);
});

test('arrows that point down are fine, type imports and tests included', async () => {
  await write({
    'packages/contracts/package.json': manifest('contracts'),
    'packages/contracts/src/index.ts': 'export const a = 1;',
    'services/api/package.json': manifest('api', knows('contracts'), knows('test-kit')),
    'services/api/src/app.ts':
      "import type { A } from '@greenroom/contracts';\n// import '../../spawner/src/x.js'",
    'services/api/src/app.test.ts': "import { startRedis } from '@greenroom/test-kit';",
  });
  expect(findLayerBreaks(root)).toEqual([]);
});

test.each([
  ['a service that imports another', "import { x } from '@greenroom/spawner';", 'api may not know spawner'],
  ['by a path', "import { x } from '../../spawner/src/x.js';", 'it reaches out of its own package'],
  ['by import()', "await import('../../spawner/src/x.js');", 'it reaches out of its own package'],
  ['a type only', "import type { X } from '@greenroom/cli';", 'api may not know cli'],
  ['an export from', "export * from '@greenroom/cli';", 'api may not know cli'],
  ['an import over several lines', "import {\n  x,\n  y,\n} from '@greenroom/cli';", 'api may not know cli'],
  [
    'a look behind the front door',
    "import { x } from '@greenroom/contracts/dist/x.js';",
    'only what contracts exports',
  ],
  [
    'the test kit in what runs',
    "import { startRedis } from '@greenroom/test-kit';",
    'api may not know test-kit',
  ],
  [
    'what its package.json lacks',
    "import { x } from '@greenroom/redis-schema';",
    'missing in its package.json',
  ],
  ['Redis past its door', "import { Redis } from 'ioredis';", 'it belongs to redis-schema'],
  ['main', "import './main.js';", 'nothing imports it'],
])('%s is a break', async (_what, source, complaint) => {
  await write({
    'services/api/package.json': manifest('api', knows('contracts')),
    'services/api/src/app.ts': source,
  });
  expect(findLayerBreaks(root)).toEqual([expect.stringContaining(complaint)]);
});

test('a test that imports a service, a package in no layer, a library in the wrong package.json', async () => {
  await write({
    'packages/newcomer/package.json': manifest('newcomer'),
    'services/api/package.json': manifest('api', { ioredis: '6.0.0' }),
    'tests/x.test.ts': "import { app } from '../services/api/src/app.js';",
  });
  expect(findLayerBreaks(root)).toEqual([
    expect.stringContaining('newcomer is in no layer'),
    expect.stringContaining('names ioredis'),
    expect.stringContaining('tests run services'),
  ]);
});

test('packages in a circle', async () => {
  await write({
    'packages/contracts/package.json': manifest('contracts', knows('redis-schema')),
    'packages/redis-schema/package.json': manifest('redis-schema', knows('contracts')),
  });
  expect(findLayerBreaks(root)).toContain(
    'packages import each other in a circle: contracts -> redis-schema -> contracts',
  );
});

test('the command fails and names the file', async () => {
  await write({
    'services/api/package.json': manifest('api'),
    'services/api/src/app.ts': "import { x } from '@greenroom/spawner';",
  });
  const { code, output } = await ask(process.execPath, [join(ROOT, 'scripts/check-layers.mjs'), root]);
  expect(code).toBe(1);
  expect(output).toContain('services/api/src/app.ts: imports @greenroom/spawner');
});

/** oxlint with the repository's own rules, over one file at a place in a copy of its layout. */
async function lint(path, source) {
  await cp(join(ROOT, '.oxlintrc.json'), join(root, '.oxlintrc.json'));
  await write({ [path]: source });
  return ask(join(ROOT, 'node_modules/.bin/oxlint'), ['-c', join(root, '.oxlintrc.json'), root], {
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
  });
}

test.each([
  [
    'services/api/src/x.ts',
    "import { spawn } from 'node:child_process';\nspawn('true');",
    'no-restricted-imports',
  ],
  [
    'services/spawner/src/x.ts',
    "import { spawn } from 'child_process';\nspawn('true');",
    'no-restricted-imports',
  ],
  ['services/spawner/src/x.ts', "process.kill(1, 'SIGTERM');", 'no-restricted-properties'],
  ['services/api/src/x.ts', 'export const url = process.env.REDIS_URL;', 'no-process-env'],
  [
    'services/api/src/x.ts',
    "import { Queue } from 'bullmq';\nexport const q = Queue;",
    'no-restricted-imports',
  ],
])('oxlint refuses in %s: %s', async (path, source, rule) => {
  const { code, output } = await lint(path, source);
  expect(output).toContain(rule);
  expect(code).not.toBe(0);
});

test.each([
  ['services/spawner/src/process/x.ts', "import { spawn } from 'node:child_process';\nspawn('true');"],
  ['services/spawner/src/process/x.ts', "process.kill(1, 'SIGTERM');"],
  ['services/api/src/main.ts', 'export const url = process.env.REDIS_URL;'],
  ['packages/redis-schema/src/x.ts', "import { Queue } from 'bullmq';\nexport const q = Queue;"],
])('oxlint allows in %s: %s', async (path, source) => {
  expect(await lint(path, source)).toMatchObject({ code: 0 });
});
