/** What a run of either side reports. */
export interface Measurement {
  readonly engine: string;
  /** Trainable numbers of the network. */
  readonly parameters: number;
  /** Of each measured step. */
  readonly milliseconds: readonly number[];
  /** CPU seconds, user and system, per second of the measured steps. */
  readonly busyCpus: number;
  /** Largest resident set of the whole process. */
  readonly peakBytes: number;
}

/** The command line that both sides understand. */
export function toArguments(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
