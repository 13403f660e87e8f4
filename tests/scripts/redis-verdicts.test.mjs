import { describe, expect, test } from '@jest/globals';
import { judgeRedis } from '../../packages/cli/dist/doctor/check-redis.js';
import { judge } from '../../scripts/lib/redis/inspect.mjs';

const GOOD = {
  redis_version: '7.4.0',
  redis_mode: 'standalone',
  role: 'master',
  maxmemory: '1000',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
};

/** npm start chooses a Redis before anything is installed, the doctor looks at the one that runs: two programs, one opinion. */
describe('npm start and greenroom doctor agree on a Redis', () => {
  test.each([
    [{}, 'usable'],
    [{ redis_version: '7.0.0' }, 'usable'],
    [{ redis_version: '6.2.14' }, 'refused'],
    [{ redis_version: undefined }, 'refused'],
    [{ cluster_enabled: '1' }, 'refused'],
    [{ redis_mode: 'cluster' }, 'refused'],
    [{ role: 'slave' }, 'refused'],
    [{ maxmemory_policy: 'allkeys-lru' }, 'refused'],
    [{ maxmemory_policy: 'allkeys-lru', maxmemory: '0' }, 'usable'],
    [{ aof_enabled: '0' }, 'usable'],
  ])('with %j', (change, expected) => {
    const info = { ...GOOD, ...change };
    const isRefused = judgeRedis('there', info).some(({ status }) => status === 'failure');
    expect({ start: judge(info).state, doctor: isRefused ? 'refused' : 'usable' }).toEqual({
      start: expected,
      doctor: expected,
    });
  });
});
