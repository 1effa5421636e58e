import * as tf from '@tensorflow/tfjs-core';
import { type SgdOptions, sgdMomentumUpdate } from '../kernels/sgd-momentum-update.ts';
import type { TrainableWeight } from './operation.ts';
import type { OptimiserState } from './optimiser-state.ts';

export interface WeightGradients {
  readonly gradient: tf.Tensor;
  /** Of a further loss term, weighted by `SgdOptions.penalty`. */
  readonly penaltyGradient?: tf.Tensor | undefined;
}

/** Moves one weight and its velocity, and returns the L1 norm that the weight had before. */
export function moveWeight(
  { velocities }: OptimiserState,
  { key, variable }: TrainableWeight,
  gradients: WeightGradients,
  options: SgdOptions,
): tf.Scalar {
  const velocity = velocities.get(key) ?? tf.zerosLike(variable);
  const result = sgdMomentumUpdate({ weight: variable, velocity, ...gradients }, options);
  variable.assign(result.weight);
  result.weight.dispose();
  velocities.set(key, tf.keep(result.velocity));
  velocity.dispose();
  return result.l1Norm;
}
