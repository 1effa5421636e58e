import * as tf from '@tensorflow/tfjs-core';

export interface DistillationLoss {
  /** [images] */
  readonly loss: tf.Tensor1D;
  /** dLoss / dLogits of each image on its own, [images, classes]. */
  readonly gradient: tf.Tensor2D;
}

/**
 * T^2 KL(softmax(teacher / T) || softmax(student / T)) of each image (Hinton et al. 2015, section 2); its gradient is
 * T (softmax(student / T) - softmax(teacher / T)), of the same size at every temperature T.
 *
 * @param student Logits [images, classes], as are the teacher's.
 */
export function distillationLoss(student: tf.Tensor2D, teacher: tf.Tensor2D, temperature: number): DistillationLoss {
  return tf.tidy(() => {
    const [logStudent, logTeacher] = [student, teacher].map((logits) => tf.logSoftmax(tf.div(logits, temperature)));
    const target = tf.exp(logTeacher!);
    const divergence = tf.sum(tf.mul(target, tf.sub(logTeacher!, logStudent!)), 1);
    return {
      loss: tf.mul(divergence, temperature ** 2) as tf.Tensor1D,
      gradient: tf.mul(tf.sub(tf.exp(logStudent!), target), temperature) as tf.Tensor2D,
    };
  });
}
