import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';

interface PoolingConfig {
  readonly poolSize: [number, number];
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
}

export function maxPooling2d(layer: Layer): Operation {
  const { poolSize: filterSize, strides, padding: pad } = layer.getConfig() as unknown as PoolingConfig;
  return {
    trainable: [],
    forward([x]): Forward {
      const output = tf.maxPool(x as tf.Tensor4D, filterSize, strides, pad);
      const saved = [tf.clone(x!), tf.clone(output)] as const;
      return {
        output,
        saved,
        backward: (dy) => {
          const [input, pooled] = saved;
          const dx: tf.Tensor = tf
            .engine()
            .runKernel('MaxPoolGrad', { dy, input, output: pooled }, { filterSize, strides, pad });
          return { inputs: [dx], weights: [] };
        },
      };
    },
  };
}

export function averagePooling2d(layer: Layer): Operation {
  const { poolSize: filterSize, strides, padding: pad } = layer.getConfig() as unknown as PoolingConfig;
  return {
    trainable: [],
    forward([x]): Forward {
      const saved = tf.clone(x!);
      return {
        output: tf.avgPool(x as tf.Tensor4D, filterSize, strides, pad),
        saved: [saved],
        backward: (dy) => {
          const dx: tf.Tensor = tf
            .engine()
            .runKernel('AvgPoolGrad', { dy, input: saved }, { filterSize, strides, pad });
          return { inputs: [dx], weights: [] };
        },
      };
    },
  };
}

export const globalAveragePooling2d: Operation = {
  trainable: [],
  forward([x]): Forward {
    const [images, height, width, channels] = x!.shape as [number, number, number, number];
    return {
      output: tf.mean(x!, [1, 2]),
      saved: [],
      backward: (dy) => {
        const spread = tf.reshape(tf.div(dy, height * width), [images, 1, 1, channels]);
        return { inputs: [tf.tile(spread, [1, height, width, 1])], weights: [] };
      },
    };
  },
};
