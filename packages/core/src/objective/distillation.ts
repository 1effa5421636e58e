import * as tf from '@tensorflow/tfjs-core';
import { tidyResult } from '../kernels/tidy-result.ts';

export interface DistillationLoss {
  /** One for each vector of logits. */
  readonly loss: tf.Tensor;
  /** dLoss / dLogits of each vector on its own, in the shape of the logits. */
  readonly gradient: tf.Tensor;
}

/**
 * T^2 KL(softmax(teacher / T) || softmax(student / T)) of each image, or of each pixel (Hinton et al. 2015, section 2); its
 * gradient is T (softmax(student / T) - softmax(teacher / T)), of the same size at every temperature T.
 *
 * @param student Logits [..., classes], as are the teacher's.
 */
export function distillationLoss(student: tf.Tensor, teacher: tf.Tensor, temperature: number): DistillationLoss {
  return tidyResult(() => {
    const logStudent = tf.logSoftmax(tf.div(student, temperature));
    const logTeacher = tf.logSoftmax(tf.div(teacher, temperature));
    const target = tf.exp(logTeacher);
    const divergence = tf.sum(tf.mul(target, tf.sub(logTeacher, logStudent)), -1);
    return {
      loss: tf.mul(divergence, temperature ** 2),
      gradient: tf.mul(tf.sub(tf.exp(logStudent), target), temperature),
    };
  });
}
