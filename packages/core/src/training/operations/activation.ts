import * as tf from '@tensorflow/tfjs-core';
import type { Forward, Operation } from '../operation.ts';

/** The gradient passes where the output is positive, and is 0 at exactly 0. */
export const relu: Operation = {
  trainable: [],
  forward([x]): Forward {
    const output = tf.relu(x!);
    const saved = tf.clone(output);
    return { output, saved: [saved], backward: (dy) => ({ inputs: [tf.mul(dy, tf.step(saved))], weights: [] }) };
  },
};

export const identity: Operation = {
  trainable: [],
  forward([x]): Forward {
    return { output: tf.clone(x!), saved: [], backward: (dy) => ({ inputs: [tf.clone(dy)], weights: [] }) };
  },
};
