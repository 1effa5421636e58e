import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { ZeroPadShortcut } from '../../layers/zero-pad-shortcut.ts';
import type { Forward, Operation } from '../operation.ts';

/** Subsampling and zero channels: the gradient is dy's own channels, each at the pixel that was taken. */
export function zeroPadShortcut(layer: Layer): Operation {
  const { strides, padChannels } = layer as ZeroPadShortcut;
  return {
    trainable: [],
    forward([x]): Forward {
      const saved = tf.clone(x!);
      return {
        output: layer.call(x!, {}) as tf.Tensor,
        saved: [saved],
        backward: (dy) => {
          const own = tf.slice(dy, [0, 0, 0, padChannels[0]], [...dy.shape.slice(0, -1), saved.shape.at(-1)!]);
          const attributes = { filterSize: 1, strides, pad: 'valid' };
          const dx: tf.Tensor = tf.engine().runKernel('AvgPoolGrad', { dy: own, input: saved }, attributes);
          return { inputs: [dx], weights: [] };
        },
      };
    },
  };
}
