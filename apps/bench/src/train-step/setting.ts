import type { Precision } from '@secateur/core';
import type { ProfileRow } from '@secateur/tfjs-backend-torch';
import type { Measurement } from '../comparison/measurement.ts';

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
  /** 'cpu', 'cuda' or 'cuda:<number>'. */
  readonly device: string;
  /** Steps before the measured ones. */
  readonly warmup: number;
  /** Measured steps. */
  readonly steps: number;
  readonly threads: number;
}

export interface TrainingMeasurement extends Measurement {
  /** Of the last step. */
  readonly loss: number;
  /** Of the measured steps, by kernel and shape; only of a profiled run. */
  readonly rows?: readonly ProfileRow[];
}

/** What a profiled run prints before the measured steps. */
export const PROFILE_BEGINS = 'profile begins';

/** 'model/precision/objective' */
export function keyOf({ model, precision, objective }: Setting): string {
  return `${model}/${precision}/${objective}`;
}
