import * as tf from '@tensorflow/tfjs-core';
import type { Penalty } from '../kernels/conv-orthogonality.ts';

/**
 * ||W W^T - I||_F with W = [out, in * kh * kw]; gradient 2 (W W^T - I) W / loss.
 * @param kernel [kh, kw, in, out]
 */
export function kernelOrthogonality(kernel: tf.Tensor4D): Penalty {
  return tf.tidy(() => {
    const out = kernel.shape[3];
    const columns = tf.reshape(kernel, [-1, out]) as tf.Tensor2D;
    const excess = tf.sub(tf.matMul(columns, columns, true, false), tf.eye(out)) as tf.Tensor2D;
    const loss = tf.norm(excess) as tf.Scalar;
    const gradient = tf.mul(tf.matMul(columns, excess), tf.divNoNan(2, loss));
    return { loss, gradient: tf.reshape(gradient, kernel.shape) };
  });
}
