// Gradients of tfjs-core's own kernels, for this backend alone, where tfjs-core composes them of a dozen passes over the largest
// tensors of a network.
import * as tf from '@tensorflow/tfjs-core';
import { BACKEND_NAME } from './kernel.ts';

type GradientFunction = tf.GradConfig['gradFunc'];

const ours = new Set<tf.GradConfig>();

/**
 * Puts a gradient before tfjs-core's, which stays for other backends and where `gradient` returns undefined. To be called when the
 * kernel runs under a gradient: only then is it sure that tfjs-core's gradients are registered, and the tape asks for it afterwards.
 */
function prefer(
  kernelName: string,
  gradient: (...args: Parameters<GradientFunction>) => ReturnType<GradientFunction> | undefined,
) {
  const usual = tf.getGradient(kernelName);
  if (tf.engine().state.gradientDepth === 0 || !usual || ours.has(usual)) return;
  const config: tf.GradConfig = {
    ...usual,
    gradFunc: (dy, saved, attrs) =>
      (tf.getBackend() === BACKEND_NAME ? gradient(dy, saved, attrs) : undefined) ?? usual.gradFunc(dy, saved, attrs),
  };
  ours.add(config);
  tf.registerGradient(config);
}

/** The sums over all positions that the five gradients share are taken in one pass. */
export function preferBatchNormGradient(): void {
  prefer(tf.FusedBatchNorm, (dy, saved, attrs) => {
    const [x, mean, variance, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?];
    // The kernel for the sums has no gradient of its own.
    if (!scale || mean.rank !== 1 || variance.rank !== 1 || scale.rank !== 1 || tf.engine().state.gradientDepth > 0) {
      return undefined;
    }
    const inverseStd = tf.rsqrt(tf.add(variance, attrs.varianceEpsilon as number));
    const inputs = { dy: dy as tf.Tensor, x, y: x, scale, mean, inverseStd };
    const attributes = { activation: 'linear', residual: false };
    const [, dScale, dOffset] = tf.engine().runKernel('BatchNormTrainingGrad', inputs, attributes) as unknown as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const factor = tf.mul(scale, inverseStd);
    return {
      x: () => tf.mul(dy as tf.Tensor, factor),
      mean: () => tf.neg(tf.mul(factor, dOffset)),
      variance: () => tf.mul(tf.mul(tf.mul(factor, inverseStd), dScale), -0.5),
      scale: () => dScale,
      offset: () => dOffset,
    };
  });
}

/** Without a tensor of ones made in JavaScript. */
export function preferMeanGradient(): void {
  prefer(tf.Mean, (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor];
    const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape);
    const [, reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    return {
      x: () => tf.broadcastTo(tf.reshape(tf.div(dy as tf.Tensor, tf.util.sizeFromShape(reduced)), kept), x.shape),
    };
  });
}
