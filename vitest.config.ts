import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*/src/**/*.test.ts', '*/ts/**/*.test.ts', '*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // CI's machine is shared and sometimes starved: a failing test is repeated once there, and named in the report.
    retry: process.env.CI ? 1 : 0,
    pool: 'forks',
    maxWorkers: 2,
    // Two engines may run at once on two cores: with two threads each they wait for one another.
    env: { OPENLEDGER_ENGINE_THREADS: '1' },
  },
});
