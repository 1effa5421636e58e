/** What became of an example. */
export interface Outcome {
  readonly name: string;
  readonly code: string;
  /** All that it wrote to the console. */
  readonly printed: string;
  /** What it threw. */
  readonly error?: string;
  /** The median of its runs. */
  readonly milliseconds: number;
}
