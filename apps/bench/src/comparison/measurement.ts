/** What a run of either side reports. */
export interface Measurement {
  readonly engine: string;
  /** Trainable numbers of the network. */
  readonly parameters: number;
  /** Of each measured step. */
  readonly milliseconds: readonly number[];
  /** CPU seconds, user and system, per second of the measured steps. */
  readonly busyCpus: number;
  /** Largest resident set of the whole process before the first step, and to its end. */
  readonly startBytes: number;
  readonly peakBytes: number;
}

/** The largest resident set of this process so far. */
export function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** The command line that both sides understand. */
export function toArguments(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
