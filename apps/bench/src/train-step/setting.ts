import type { Precision } from '@secateur/core';

export const NETWORKS = ['vgg16', 'resnet56', 'resnet20'] as const;
export const PRECISIONS = ['float32', 'bfloat16'] as const satisfies readonly Precision[];
/** full = cross entropy, L1 and orthogonality (arXiv 2312.05875, eq. 1); plain = cross entropy alone. */
export const OBJECTIVES = ['plain', 'full'] as const;

export type NetworkName = (typeof NETWORKS)[number];
export type ObjectiveName = (typeof OBJECTIVES)[number];

/** What is trained. */
export interface Setting {
  readonly model: NetworkName;
  readonly precision: Precision;
  readonly objective: ObjectiveName;
}

/** How a run measures it. */
export interface RunOptions {
  /** Factor on the network's widths. */
  readonly width: number;
  /** Images in a batch. */
  readonly batch: number;
  /** Steps before the measured ones. */
  readonly warmup: number;
  /** Measured steps. */
  readonly steps: number;
  readonly threads: number;
}

/** What a run reports, ours and PyTorch's alike. */
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
  /** Of the last step. */
  readonly loss: number;
}

/** 'model/precision/objective' */
export function keyOf({ model, precision, objective }: Setting): string {
  return `${model}/${precision}/${objective}`;
}

/** The command line that both sides understand. */
export function toArguments(setting: Setting, options: RunOptions): string[] {
  return Object.entries({ ...setting, ...options }).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
