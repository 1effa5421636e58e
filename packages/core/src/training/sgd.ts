import * as tf from '@tensorflow/tfjs-core';
import { type SgdOptions, sgdMomentumUpdate } from '../kernels/sgd-momentum-update.ts';
import type { TrainableWeight } from './operation.ts';

/** Velocities of SGD with momentum, filed under the weights' keys. */
export class SgdMomentum {
  readonly velocities = new Map<string, tf.Tensor>();

  /**
   * Moves one weight and returns the L1 norm that it had before.
   * @param penaltyGradient Gradient of a further loss term, weighted by `options.penalty`.
   */
  update(
    weight: TrainableWeight,
    gradient: tf.Tensor,
    penaltyGradient: tf.Tensor | undefined,
    options: SgdOptions,
  ): tf.Scalar {
    const { key, variable } = weight;
    const velocity = this.velocities.get(key) ?? tf.zerosLike(variable);
    const result = sgdMomentumUpdate({ weight: variable, velocity, gradient, penaltyGradient }, options);
    variable.assign(result.weight);
    result.weight.dispose();
    this.velocities.set(key, tf.keep(result.velocity));
    velocity.dispose();
    return result.l1Norm;
  }

  dispose(): void {
    for (const velocity of this.velocities.values()) velocity.dispose();
    this.velocities.clear();
  }
}
