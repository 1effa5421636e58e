import * as tf from '@tensorflow/tfjs-core';
import { activate, type BatchNormActivation, gate } from './batch-norm-training.ts';
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

export interface BatchNormInferenceOptions {
  readonly epsilon: number;
  readonly activation: BatchNormActivation;
}

/** Batch norm with given statistics: y = activation(scale * (x - mean) / sqrt(variance + epsilon) + offset + residual). */
export function batchNormInference(inputs: BatchNormInferenceInputs, options: BatchNormInferenceOptions): tf.Tensor {
  const { residual, ...required } = inputs;
  const fused = runFused('BatchNormInference', residual ? { ...required, residual } : required, { ...options });
  return fused ? fused[0]! : composedBatchNorm(inputs, options);
}

/** The same in tfjs's own operations, which an engine may fold into the convolution before them. */
export function composedBatchNorm(
  { x, mean, variance, offset, scale, residual }: BatchNormInferenceInputs,
  { epsilon, activation }: BatchNormInferenceOptions,
): tf.Tensor {
  return tf.tidy(() => {
    const normal: tf.Tensor = tf.batchNorm(x, mean, variance, offset, scale, epsilon);
    return activate(residual ? tf.add(normal, residual) : normal, activation);
  });
}

export interface BatchNormInferenceGradInputs {
  readonly dy: tf.Tensor;
  /** The forward output; it gates the gradient where there is an activation. */
  readonly y: tf.Tensor;
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
  { dy, y, variance, scale }: BatchNormInferenceGradInputs,
  { epsilon, activation, residual }: BatchNormInferenceOptions & { readonly residual: boolean },
): BatchNormInferenceGradients {
  const fused = runFused('BatchNormInferenceGrad', { dy, y, variance, scale }, { epsilon, activation, residual });
  if (fused) return { dx: fused[0]!, ...(residual && { dResidual: fused[1]! }) };
  return tidyResult(() => {
    const gated = gate(dy, y, activation);
    const dx = tf.mul(gated, tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon))));
    return { dx, ...(residual && { dResidual: tf.clone(gated) }) };
  });
}
