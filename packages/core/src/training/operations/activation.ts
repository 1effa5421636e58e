import * as tf from '@tensorflow/tfjs-core';
import { gate } from '../../kernels/batch-norm-training.ts';
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

/** min(max(x, 0), 6); the gradient passes strictly between the two. */
export const relu6: Operation = {
  trainable: [],
  forward([x]): Forward {
    const output = tf.clipByValue(x!, 0, 6);
    const saved = tf.clone(output);
    return {
      output,
      saved: [saved],
      backward: (dy) => ({ inputs: [gate(dy, saved, 'relu6')], weights: [] }),
    };
  },
};

/** x times the normal distribution's share below x (Hendrycks & Gimpel 2016); the gradient adds x times the density at x. */
export const gelu: Operation = {
  trainable: [],
  forward([input]): Forward {
    const x = tf.clone(input!);
    const below = tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
    return {
      output: tf.mul(x, below),
      saved: [x, below],
      backward: (dy) => {
        const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return { inputs: [tf.mul(dy, tf.add(below, tf.mul(x, density)))], weights: [] };
      },
    };
  },
};

export const identity: Operation = {
  trainable: [],
  forward([x]): Forward {
    return { output: tf.clone(x!), saved: [], backward: (dy) => ({ inputs: [tf.clone(dy)], weights: [] }) };
  },
};
