import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  baseEnvironment,
  makeTempDir,
  startProcess,
  startRedis,
  type TempDir,
  type TestRedis,
} from '@greenroom/test-kit';

let redis: TestRedis;
let stateDir: TempDir;
beforeAll(async () => {
  [redis, stateDir] = await Promise.all([startRedis(), makeTempDir('state')]);
  await redis.command('SET', 'schema', '2');
});
afterAll(async () => {
  await redis.stop();
  await stateDir.remove();
});

test.each(['api', 'spawner'])(
  'the %s does not start on data of a version that it does not know',
  async (name) => {
    const service = await startProcess({
      command: process.execPath,
      args: [fileURLToPath(new URL(`../services/${name}/dist/main.js`, import.meta.url))],
      env: {
        ...baseEnvironment(),
        REDIS_URL: redis.url,
        LIVEKIT_URL: 'ws://127.0.0.1:9',
        LIVEKIT_API_KEY: 'key',
        LIVEKIT_API_SECRET: 'a-livekit-secret-for-this-test',
        HOST: '127.0.0.1',
        PORT: '0',
        SPAWNER_PORT: '0',
        API_DRAIN_DELAY: '0',
        STATE_DIR: stateDir.path,
      },
    });
    expect(await service.exited).toMatchObject({ code: 1 });
    expect(service.output()).toMatch(
      /The data in Redis has schema 2, and this version knows 1\. Start the version/,
    );
  },
);
