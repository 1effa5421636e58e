import * as tf from '@tensorflow/tfjs-core';
import { preferBatchNormGradient } from '../gradients.ts';
import { kernel } from '../kernel.ts';
import { foldBatchNorm } from './deferred-convolution.ts';

interface Inputs {
  readonly x: tf.TensorInfo;
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
  readonly offset?: tf.TensorInfo;
  readonly scale?: tf.TensorInfo;
}

export const batchNormKernels = [
  kernel<Inputs, tf.FusedBatchNormAttrs>(
    tf.FusedBatchNorm,
    {},
    ({ inputs: { x, mean, variance, offset, scale }, attrs, backend }) => {
      preferBatchNormGradient();
      return (
        foldBatchNorm(backend, x, { mean, variance, offset, scale, epsilon: attrs.varianceEpsilon ?? 0.001 }) ??
        backend.make(
          backend.native.batchNorm(
            backend.handle(x),
            backend.handle(mean),
            backend.handle(variance),
            backend.optionalHandle(offset),
            backend.optionalHandle(scale),
            attrs.varianceEpsilon ?? 0.001,
          ),
          x.shape,
        )
      );
    },
  ),
];
