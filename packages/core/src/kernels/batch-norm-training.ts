import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';
import { tidyResult } from './tidy-result.ts';

export type BatchNormActivation = 'linear' | 'relu' | 'relu6';

export function activate(y: tf.Tensor, activation: BatchNormActivation): tf.Tensor {
  if (activation === 'linear') return y;
  return activation === 'relu' ? tf.relu(y) : tf.clipByValue(y, 0, 6);
}

/** The part of dy that comes through the activation that gave y: strictly between its bounds. */
export function gate(dy: tf.Tensor, y: tf.Tensor, activation: BatchNormActivation): tf.Tensor {
  if (activation === 'linear') return dy;
  const passes = tf.step(y);
  return tf.mul(dy, activation === 'relu' ? passes : tf.mul(passes, tf.step(tf.sub(6, y))));
}

export interface BatchNormTrainingInputs {
  /** [..., channels] */
  readonly x: tf.Tensor;
  readonly scale: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
  readonly movingMean: tf.Tensor1D;
  readonly movingVariance: tf.Tensor1D;
  /** Added before the activation; same shape as x. */
  readonly residual?: tf.Tensor | undefined;
}

export interface BatchNormTrainingOptions {
  readonly epsilon: number;
  /** moving = momentum * moving + (1 - momentum) * batch */
  readonly momentum: number;
  readonly activation: BatchNormActivation;
}

export interface BatchNormTrainingOutputs {
  readonly y: tf.Tensor;
  readonly mean: tf.Tensor1D;
  readonly inverseStd: tf.Tensor1D;
  readonly movingMean: tf.Tensor1D;
  readonly movingVariance: tf.Tensor1D;
}

/**
 * Batch norm with the statistics of the batch: y = activation(scale * (x - mean) / sqrt(variance + epsilon) + offset + residual).
 * The variance that normalises is the biased one; the one that enters the moving variance is unbiased, as in PyTorch.
 */
export function batchNormTraining(
  inputs: BatchNormTrainingInputs,
  options: BatchNormTrainingOptions,
): BatchNormTrainingOutputs {
  const { residual, ...required } = inputs;
  const fused = runFused('BatchNormTraining', residual ? { ...required, residual } : required, {
    ...options,
    unbiasedVariance: true,
  });
  if (fused) {
    const [y, mean, inverseStd, movingMean, movingVariance] = fused as [tf.Tensor, ...tf.Tensor1D[]];
    return { y, mean: mean!, inverseStd: inverseStd!, movingMean: movingMean!, movingVariance: movingVariance! };
  }
  return tidyResult(() => {
    const { x, scale, offset } = inputs;
    const moments = tf.moments(x, reducedAxes(x));
    const mean = moments.mean as tf.Tensor1D;
    const variance = moments.variance as tf.Tensor1D;
    const inverseStd = tf.rsqrt(tf.add(variance, options.epsilon)) as tf.Tensor1D;
    let y: tf.Tensor = tf.add(tf.mul(tf.mul(tf.sub(x, mean), inverseStd), scale), offset);
    if (residual) y = tf.add(y, residual);
    y = activate(y, options.activation);
    const count = x.size / mean.size;
    const unbiased = tf.mul(variance, count > 1 ? count / (count - 1) : 1);
    const move = (moving: tf.Tensor1D, batch: tf.Tensor) =>
      tf.add(tf.mul(moving, options.momentum), tf.mul(batch, 1 - options.momentum)) as tf.Tensor1D;
    return {
      y,
      mean,
      inverseStd,
      movingMean: move(inputs.movingMean, mean),
      movingVariance: move(inputs.movingVariance, unbiased),
    };
  });
}

export interface BatchNormTrainingGradInputs {
  readonly dy: tf.Tensor;
  readonly x: tf.Tensor;
  /** The forward output; it gates the gradient where there is an activation. */
  readonly y: tf.Tensor;
  readonly scale: tf.Tensor1D;
  readonly mean: tf.Tensor1D;
  readonly inverseStd: tf.Tensor1D;
}

export interface BatchNormTrainingGradients {
  readonly dx: tf.Tensor;
  readonly dScale: tf.Tensor1D;
  readonly dOffset: tf.Tensor1D;
  /** Only when the forward pass had a residual. */
  readonly dResidual?: tf.Tensor;
}

/** Gradients of {@link batchNormTraining}. */
export function batchNormTrainingGrad(
  inputs: BatchNormTrainingGradInputs,
  options: { readonly activation: BatchNormActivation; readonly residual: boolean },
): BatchNormTrainingGradients {
  const fused = runFused('BatchNormTrainingGrad', { ...inputs }, { ...options });
  if (fused) return named(fused, options.residual);
  return tidyResult(() => {
    const { x, y, scale, mean, inverseStd } = inputs;
    const axes = reducedAxes(x);
    const dy = gate(inputs.dy, y, options.activation);
    const normalised = tf.mul(tf.sub(x, mean), inverseStd);
    const dOffset = tf.sum(dy, axes);
    const dScale = tf.sum(tf.mul(dy, normalised), axes);
    const count = x.size / mean.size;
    const centred = tf.sub(dy, tf.div(tf.add(dOffset, tf.mul(normalised, dScale)), count));
    const dx = tf.mul(tf.mul(centred, inverseStd), scale);
    return named(options.residual ? [dx, dScale, dOffset, tf.clone(dy)] : [dx, dScale, dOffset], options.residual);
  });
}

function named(outputs: tf.Tensor[], residual: boolean): BatchNormTrainingGradients {
  const [dx, dScale, dOffset, dResidual] = outputs as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor];
  return residual ? { dx, dScale, dOffset, dResidual } : { dx, dScale, dOffset };
}

function reducedAxes(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}
