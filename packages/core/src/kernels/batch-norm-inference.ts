import * as tf from '@tensorflow/tfjs-core';
import { activate, type BatchNormActivation } from './batch-norm-training.ts';
import { runFused } from './fused.ts';
import { tidyResult } from './tidy-result.ts';

export interface BatchNormInferenceInputs {
  /** [..., channels] */
  readonly x: tf.Tensor;
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
  readonly scale: tf.Tensor1D;
  /** Added before the activation; same shape as x. */
  readonly residual?: tf.Tensor | undefined;
}

export interface BatchNormInferenceOutputs {
  readonly y: tf.Tensor;
  /** bool, same shape: where the activation lets a gradient through, strictly between its bounds. Absent without an activation. */
  readonly open?: tf.Tensor;
}

/** Batch norm with given statistics: y = activation(scale * (x - mean) / sqrt(variance + epsilon) + offset + residual). */
export function batchNormInference(
  inputs: BatchNormInferenceInputs,
  { epsilon, activation }: { readonly epsilon: number; readonly activation: BatchNormActivation },
): BatchNormInferenceOutputs {
  const { residual, ...required } = inputs;
  const given = residual ? { ...required, residual } : required;
  const fused = runFused('BatchNormInference', given, { epsilon, activation });
  if (fused) return { y: fused[0]!, ...(fused[1] && { open: fused[1] }) };
  return tidyResult(() => {
    const { x, mean, variance, offset, scale } = inputs;
    const normal: tf.Tensor = tf.batchNorm(x, mean, variance, offset, scale, epsilon);
    const y = activate(residual ? tf.add(normal, residual) : normal, activation);
    if (activation === 'linear') return { y };
    const positive = tf.greater(y, 0);
    return { y, open: activation === 'relu' ? positive : tf.logicalAnd(positive, tf.less(y, 6)) };
  });
}

export interface BatchNormInferenceGradInputs {
  readonly dy: tf.Tensor;
  /** The forward pass's; undefined without an activation. */
  readonly open?: tf.Tensor | undefined;
  readonly variance: tf.Tensor1D;
  readonly scale: tf.Tensor1D;
}

export interface BatchNormInferenceGradients {
  readonly dx: tf.Tensor;
  /** Only when the forward pass had a residual. */
  readonly dResidual?: tf.Tensor;
}

/** Gradients of {@link batchNormInference} with respect to its activations. */
export function batchNormInferenceGrad(
  { open, ...required }: BatchNormInferenceGradInputs,
  { epsilon, residual }: { readonly epsilon: number; readonly residual: boolean },
): BatchNormInferenceGradients {
  const given = open ? { ...required, open } : required;
  const fused = runFused('BatchNormInferenceGrad', given, { epsilon, residual });
  if (fused) return { dx: fused[0]!, ...(residual && { dResidual: fused[1]! }) };
  return tidyResult(() => {
    const { dy, variance, scale } = required;
    const gated = open ? tf.mul(dy, tf.cast(open, 'float32')) : dy;
    const dx = tf.mul(gated, tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon))));
    return { dx, ...(residual && { dResidual: tf.clone(gated) }) };
  });
}
