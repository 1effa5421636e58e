export interface SpecResult {
  readonly name: string;
  /** skipped: tfjs-core itself marks the spec as not to be run. */
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Why it failed. */
  readonly messages: readonly string[];
}
