/** Tests stand beside the code as `x.test.ts`; those that cross services, and those of scripts/, live in `tests/`. */
export default {
  testMatch: [
    '<rootDir>/{packages,services}/*/src/**/*.test.ts',
    '<rootDir>/services/web/page/**/*.test.ts',
    '<rootDir>/tests/**/*.test.{ts,mjs}',
  ],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.jsx?$': '$1',
    '^@greenroom/(contracts|dead-air|redis-schema|service-kit|test-kit)$':
      '<rootDir>/packages/$1/src/index.ts',
  },
  cacheDirectory: '<rootDir>/.greenroom/jest-cache',
  testSequencer: '<rootDir>/scripts/lib/testing/longest-first.mjs',
  testTimeout: 30_000,
  maxWorkers: 2,
};
