// The part of jasmine-core used here; it ships no types.
declare module 'jasmine-core' {
  interface Failures {
    readonly failedExpectations: ReadonlyArray<{ readonly message: string }>;
  }

  interface Suite extends Failures {
    readonly fullName: string;
  }

  interface Spec extends Suite {
    readonly status: 'passed' | 'failed' | 'pending' | 'excluded';
  }

  interface Env {
    configure(options: {
      readonly random?: boolean;
      readonly forbidDuplicateNames?: boolean;
      readonly specFilter?: (spec: { getFullName(): string }) => boolean;
    }): void;
    clearReporters(): void;
    addReporter(reporter: { specDone(spec: Spec): void; suiteDone(suite: Suite): void }): void;
    /** Resolves to what failed outside of all suites. */
    execute(): Promise<Failures>;
  }

  /** Makes describe, it, expect and jasmine global. */
  export function boot(): { DEFAULT_TIMEOUT_INTERVAL: number; getEnv(): Env };
}
