import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';

export interface TaylorInputs {
  /** [images, ..., channels] */
  readonly activation: tf.Tensor;
  /** dLoss / dActivation, same shape. */
  readonly gradient: tf.Tensor;
  /** int32 [images] */
  readonly labels: tf.Tensor1D;
}

/**
 * Counts, for every class, channel and position, the images of the class with |a * dL/da| > threshold.
 * @returns int32 [classes, ..., channels]
 */
export function taylorCount(inputs: TaylorInputs, options: { threshold: number; classes: number }): tf.Tensor {
  const fused = runFused('TaylorCount', { ...inputs }, options);
  if (fused) return fused[0]!;
  return tf.tidy(() => {
    const matters = tf.cast(tf.greater(importance(inputs), Math.fround(options.threshold)), 'float32');
    return tf.cast(sumPerClass(matters, inputs.labels, options.classes), 'int32');
  });
}

/**
 * Sums |a * dL/da| over the images of each class and all positions.
 * @returns float32 [classes, channels]
 */
export function taylorSum(inputs: TaylorInputs, options: { classes: number }): tf.Tensor2D {
  const fused = runFused('TaylorSum', { ...inputs }, options);
  if (fused) return fused[0] as tf.Tensor2D;
  return tf.tidy(() => {
    const positions = Array.from({ length: inputs.activation.rank - 2 }, (_, i) => i + 1);
    const perImage = tf.sum(importance(inputs), positions);
    return sumPerClass(perImage, inputs.labels, options.classes) as tf.Tensor2D;
  });
}

function importance({ activation, gradient }: TaylorInputs): tf.Tensor {
  return tf.abs(tf.mul(activation, gradient));
}

function sumPerClass(values: tf.Tensor, labels: tf.Tensor1D, classes: number): tf.Tensor {
  const [images, ...rest] = values.shape as [number, ...number[]];
  const members = tf.oneHot(labels, classes, 1, 0, 'float32') as tf.Tensor2D;
  return tf.reshape(tf.matMul(members, tf.reshape(values, [images, -1]) as tf.Tensor2D, true), [classes, ...rest]);
}
