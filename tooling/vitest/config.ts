import { defineConfig } from 'vitest/config';

/** Shared by every package: workspace imports resolve to source, so a test never reads a stale build. */
export default defineConfig({
  resolve: { conditions: ['@secateur/source', 'node'] },
  ssr: { resolve: { conditions: ['@secateur/source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Generous: tfjs-backend-cpu needs seconds for a training step, and machines are shared.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Native engines hold process-wide state; forks keep one engine per process.
    pool: 'forks',
    // Tests run side by side: OpenMP teams that share cores wait for each other far longer than one thread computes.
    env: { OMP_NUM_THREADS: '1' },
  },
});
