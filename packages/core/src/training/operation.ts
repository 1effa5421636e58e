import type { Tensor, Variable } from '@tensorflow/tfjs-core';

/**
 * 'scoring' is inference with the convolutions of kernels/scoring-convolution.ts, which keeps nothing for gradients of weights. 'statistics' is inference in which batch
 * norm takes the statistics of the batch, and hands them out unmixed with those of earlier batches.
 */
export type Mode = 'training' | 'inference' | 'scoring' | 'statistics';

/** What a forward step hands to the walk. */
export interface Forward {
  readonly output: Tensor;
  /** Tensors that `backward` reads; the walk owns them and frees them after the backward step. */
  readonly saved: readonly Tensor[];
  /** What training moves without a gradient; the trainer assigns it. */
  readonly updates?: readonly StatisticsUpdate[];
  readonly backward: (dy: Tensor, wanted: Wanted) => Backward;
}

/** What the moving statistics of one batch norm become. */
export interface StatisticsUpdate {
  readonly movingMean: Variable;
  readonly movingVariance: Variable;
  readonly mean: Tensor;
  /** Of batches' unbiased variances. */
  readonly variance: Tensor;
  /** How many values of each channel the batch has. */
  readonly samples: number;
}

export interface Wanted {
  readonly inputs: boolean;
  readonly weights: boolean;
}

export interface Backward {
  /** One for each input of the operation; empty when not wanted. */
  readonly inputs: readonly Tensor[];
  /** One for each entry of `Operation.trainable`; empty when not wanted. */
  readonly weights: readonly Tensor[];
}

/** A trainable weight and the key under which optimiser state and gradients are filed: "layer/index of the weight". */
export interface TrainableWeight {
  readonly key: string;
  readonly variable: Variable;
  /** The kernel of a convolution ([h, w, in, out]) is what orthogonality regularises. */
  readonly role: 'convolution kernel' | 'kernel' | 'other';
}

/** What one layer (or several fused ones) computes. Holds no tensors of its own. */
export interface Operation {
  readonly trainable: readonly TrainableWeight[];
  /** Called inside a tidy: only the output and the saved tensors survive. Inputs stay the walk's. */
  forward(inputs: readonly Tensor[], mode: Mode): Forward;
  /** Where random numbers are drawn: the next training pass draws those of the pass of that number, from 0. */
  startAt?(pass: number): void;
}
