import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

/** Dense without its activation: x [n, in] * kernel [in, out] + bias. */
export function dense(layer: Layer): Operation {
  const [kernel, bias] = layerVariables(layer) as [tf.Variable<tf.Rank.R2>, tf.Variable<tf.Rank.R1> | undefined];
  const weights = [...trainableWeight(layer, 0, 'kernel'), ...(bias ? trainableWeight(layer, 1) : [])];
  return {
    trainable: weights,
    forward([input]): Forward {
      const x = input as tf.Tensor2D;
      const product = tf.matMul(x, kernel);
      const saved = tf.clone(x);
      return {
        output: bias ? tf.add(product, bias) : product,
        saved: [saved],
        backward: (dy, wanted) => ({
          inputs: wanted.inputs ? [tf.matMul(dy as tf.Tensor2D, kernel, false, true)] : [],
          weights: wanted.weights
            ? weights.map((weight) =>
                weight.variable === bias ? tf.sum(dy, 0) : tf.matMul(saved, dy as tf.Tensor2D, true, false),
              )
            : [],
        }),
      };
    },
  };
}
