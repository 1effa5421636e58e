import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';
import { tidyResult } from './tidy-result.ts';

export interface CrossEntropy {
  /** [labels] */
  readonly loss: tf.Tensor1D;
  /** dLoss / dLogits of each label on its own: softmax - one-hot, in the shape of the logits. */
  readonly gradient: tf.Tensor;
}

/**
 * Softmax cross entropy of each image, or of each pixel.
 * @param logits [..., classes]
 * @param labels int32 [number of logit vectors], in their order, each in [0, classes)
 * @throws Error if there are more or fewer labels than vectors of logits.
 */
export function softmaxCrossEntropy(logits: tf.Tensor, labels: tf.Tensor1D): CrossEntropy {
  const classes = logits.shape.at(-1)!;
  if (logits.size !== labels.size * classes) {
    throw new Error(
      `Expected one label for each vector of ${classes} logits in [${logits.shape}], ${logits.size / classes} in all, but got ${labels.size}.`,
    );
  }
  return tidyResult(() => {
    const rows = tf.reshape<tf.Rank.R2>(logits, [labels.size, classes]);
    const { loss, gradient } = ofRows(rows, labels);
    return { loss, gradient: tf.reshape(gradient, logits.shape) };
  });
}

function ofRows(logits: tf.Tensor2D, labels: tf.Tensor1D): CrossEntropy {
  const fused = runFused('SoftmaxCrossEntropy', { logits, labels });
  if (fused) return { loss: fused[0] as tf.Tensor1D, gradient: fused[1]! };
  const target = tf.oneHot(labels, logits.shape[1], 1, 0, 'float32');
  const logProbabilities = tf.logSoftmax(logits);
  return {
    loss: tf.neg(tf.sum(tf.mul(logProbabilities, target), 1)) as tf.Tensor1D,
    gradient: tf.sub(tf.softmax(logits), target),
  };
}
