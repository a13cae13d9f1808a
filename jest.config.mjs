/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/jest/environment.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': '<rootDir>/test/jest/strip-types.mjs',
    '/node_modules/(?:aws-cdk-lib|cdk-nag|constructs)/.*\\.js$': '<rootDir>/test/jest/outside.mjs',
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:aws-cdk-lib|cdk-nag|constructs)/)'],
  globalSetup: '<rootDir>/test/jest/make-temporary-folder.mjs',
  globalTeardown: '<rootDir>/test/jest/remove-temporary-folder.mjs',
  reporters: ['default', '<rootDir>/test/jest/count-reporter.mjs'],
  modulePathIgnorePatterns: ['<rootDir>/out', '<rootDir>/cdk.out', '<rootDir>/dist'],
  // Half of a worker's time is waiting for a server or a clock, so that three keep two cores busy. A file with a real control plane takes 2 GB
  // and two busy cores at times: with more workers, bounds in seconds measure the machine. Ports come from the system, folders from mkdtemp,
  // the lab's programs are built under a lock.
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/jest/long-first.mjs',
  // Modules of a finished file stay in the process's memory; a worker that has grown that large is replaced by a fresh one.
  workerIdleMemoryLimit: '1GB',
  // Real control planes on a busy machine: a test that hangs is found all the same.
  testTimeout: 180_000,
}
