import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';

export interface CrossEntropy {
  /** [images] */
  readonly loss: tf.Tensor1D;
  /** dLoss / dLogits of each image on its own: softmax - one-hot, [images, classes]. */
  readonly gradient: tf.Tensor2D;
}

/**
 * Softmax cross entropy of each image.
 * @param logits [images, classes]
 * @param labels int32 [images], each in [0, classes)
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): CrossEntropy {
  const fused = runFused('SoftmaxCrossEntropy', { logits, labels });
  if (fused) return { loss: fused[0] as tf.Tensor1D, gradient: fused[1] as tf.Tensor2D };
  return tf.tidy(() => {
    const target = tf.oneHot(labels, logits.shape[1], 1, 0, 'float32');
    const logProbabilities = tf.logSoftmax(logits);
    return {
      loss: tf.neg(tf.sum(tf.mul(logProbabilities, target), 1)) as tf.Tensor1D,
      gradient: tf.sub(tf.softmax(logits), target) as tf.Tensor2D,
    };
  });
}
