import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';

export const flatten: Operation = {
  trainable: [],
  forward([x]): Forward {
    const { shape } = x!;
    return {
      output: tf.reshape(x!, [shape[0]!, -1]),
      saved: [],
      backward: (dy) => ({ inputs: [tf.reshape(dy, shape)], weights: [] }),
    };
  },
};

export const add: Operation = {
  trainable: [],
  forward(inputs): Forward {
    return {
      output: inputs.length === 2 ? tf.add(inputs[0]!, inputs[1]!) : tf.addN([...inputs]),
      saved: [],
      backward: (dy) => ({ inputs: inputs.map(() => tf.clone(dy)), weights: [] }),
    };
  },
};

/** Concatenation along the last axis. */
export const concatenate: Operation = {
  trainable: [],
  forward(inputs): Forward {
    const sizes = inputs.map((x) => x.shape.at(-1)!);
    return {
      output: tf.concat([...inputs], -1),
      saved: [],
      backward: (dy) => ({ inputs: tf.split(dy, sizes, -1), weights: [] }),
    };
  },
};

export function zeroPadding2d(layer: Layer): Operation {
  const { padding } = layer.getConfig() as unknown as { padding: [[number, number], [number, number]] };
  return {
    trainable: [],
    forward([x]): Forward {
      const { shape } = x!;
      return {
        output: tf.pad(x!, [[0, 0], padding[0], padding[1], [0, 0]]),
        saved: [],
        backward: (dy) => ({
          inputs: [tf.slice(dy, [0, padding[0][0], padding[1][0], 0], shape)],
          weights: [],
        }),
      };
    },
  };
}
