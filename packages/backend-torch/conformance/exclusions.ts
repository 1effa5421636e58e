// Specs of tfjs-core that the torch backend may fail, each with its reason. One that passes, or that no longer exists, fails the run.

export interface Exclusion {
  /** The spec's full name, or a pattern that matches it. */
  readonly spec: string | RegExp;
  readonly reason: string;
}

export const EXCLUSIONS: readonly Exclusion[] = [];
