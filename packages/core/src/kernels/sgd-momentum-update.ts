import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';

export interface SgdInputs {
  readonly weight: tf.Tensor;
  readonly velocity: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** Gradient of a further term of the loss, multiplied by `penalty`. */
  readonly penaltyGradient?: tf.Tensor | undefined;
}

export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Factor of the L1 term; its gradient is sign(weight), 0 at 0. */
  readonly l1: number;
  readonly penalty: number;
}

export interface SgdOutputs {
  readonly weight: tf.Tensor;
  readonly velocity: tf.Tensor;
  /** Sum of |weight| before the update, a scalar. */
  readonly l1Norm: tf.Scalar;
}

/**
 * One step of SGD with momentum, without dampening (as torch.optim.SGD):
 *   d = gradient + penalty * penaltyGradient + l1 * sign(weight) + weightDecay * weight
 *   velocity = momentum * velocity + d;  weight = weight - learningRate * velocity
 *
 * An engine may write the results into the memory of `weight` and `velocity` when nothing else holds it: use only the
 * returned tensors afterwards.
 */
export function sgdMomentumUpdate(inputs: SgdInputs, options: SgdOptions): SgdOutputs {
  const { penaltyGradient, ...required } = inputs;
  const fused = runFused('SgdMomentumUpdate', penaltyGradient ? { ...required, penaltyGradient } : required, {
    ...options,
  });
  if (fused) {
    const [weight, velocity, l1Norm] = fused as [tf.Tensor, tf.Tensor, tf.Scalar];
    return { weight, velocity, l1Norm };
  }
  return tf.tidy(() => {
    const { weight, velocity } = inputs;
    const { learningRate, momentum, weightDecay, l1, penalty } = options;
    let direction = inputs.gradient;
    if (penaltyGradient) direction = tf.add(direction, tf.mul(penaltyGradient, penalty));
    if (l1) direction = tf.add(direction, tf.mul(tf.sign(weight), l1));
    if (weightDecay) direction = tf.add(direction, tf.mul(weight, weightDecay));
    const nextVelocity = tf.add(tf.mul(velocity, momentum), direction);
    return {
      weight: tf.sub(weight, tf.mul(nextVelocity, learningRate)),
      velocity: nextVelocity,
      l1Norm: tf.sum(tf.abs(weight)) as tf.Scalar,
    };
  });
}
