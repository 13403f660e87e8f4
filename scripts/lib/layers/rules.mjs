/** Who may import whom: imports point one way. A package that is not in this table has no place yet. */
export const ARROWS = {
  contracts: [],
  'redis-schema': ['contracts'],
  'dead-air': ['contracts'],
  'service-kit': ['contracts'],
  'test-kit': ['contracts'],
  cli: ['contracts'],
  web: ['service-kit', 'contracts'],
  agent: ['contracts'],
  api: ['service-kit', 'dead-air', 'redis-schema', 'contracts'],
  spawner: ['service-kit', 'dead-air', 'redis-schema', 'contracts'],
};

/** Folders that run in a browser know no more than this of ours, whatever their package may know. */
export const IN_A_BROWSER = { 'web/page': ['contracts'] };

/** For tests only, and then for everyone. */
export const TEST_PACKAGE = 'test-kit';

/** Libraries that live behind one door. */
export const DOORS = { ioredis: 'redis-schema', bullmq: 'redis-schema' };
