import type * as tf from '@tensorflow/tfjs-core';
import { convOrthogonality, type Penalty } from '../kernels/conv-orthogonality.ts';
import type { TrainableWeight } from '../training/operation.ts';
import { kernelOrthogonality } from './kernel-orthogonality.ts';

/**
 * L = cross entropy + l1 * sum |p| + orthogonality * sum over convolutions of orth(K)   (arXiv 2312.05875, eq. 1)
 */
export interface Objective {
  /** Factor of the L1 term; the authors use 1e-4. */
  readonly l1: number;
  /** Which trainable weights the L1 term covers. The authors take all: kernels, biases, batch-norm scale and shift. */
  readonly l1Over: 'all' | 'kernels';
  /** Factor of the orthogonality term; the authors use 1e-2. */
  readonly orthogonality: number;
  /** 'convolution' (the authors'): 3x3 kernels against their shifts. 'kernel': ||W W^T - I|| of any kernel size. */
  readonly orthogonalityForm: 'convolution' | 'kernel';
}

/** The objective of the authors' code. */
export const PAPER_OBJECTIVE: Objective = {
  l1: 1e-4,
  l1Over: 'all',
  orthogonality: 1e-2,
  orthogonalityForm: 'convolution',
};

/** Cross entropy alone. */
export const PLAIN_OBJECTIVE: Objective = { ...PAPER_OBJECTIVE, l1: 0, orthogonality: 0 };

export function l1Factor(objective: Objective, weight: TrainableWeight): number {
  return objective.l1Over === 'all' || weight.role !== 'other' ? objective.l1 : 0;
}

/** The orthogonality term of one weight and its gradient, or undefined where the objective has none. */
export function orthogonalityPenalty(objective: Objective, weight: TrainableWeight): Penalty | undefined {
  if (objective.orthogonality === 0 || weight.role !== 'convolution kernel') return undefined;
  const kernel = weight.variable as unknown as tf.Tensor4D;
  if (objective.orthogonalityForm === 'kernel') return kernelOrthogonality(kernel);
  const [height, width] = kernel.shape;
  return height === 3 && width === 3 ? convOrthogonality(kernel) : undefined;
}
