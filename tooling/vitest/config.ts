import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Shared by every package: workspace imports resolve to source, so a test never reads a stale build. */
export default defineConfig({
  resolve: { conditions: ['@secateur/source', 'node'] },
  ssr: { resolve: { conditions: ['@secateur/source', 'node'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Generous, as machines are shared and slow ones exist: these find what hangs, and nothing else.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    setupFiles: [fileURLToPath(new URL('seed-random.ts', import.meta.url))],
    // Native engines hold process-wide state; forks keep one engine per process.
    pool: 'forks',
    // Tests run side by side: OpenMP teams that share cores wait for each other far longer than one thread computes.
    env: { OMP_NUM_THREADS: '1' },
  },
});
