import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { trainableWeight } from './weights.ts';

/**
 * Any layer without an operation of its own: its forward pass is computed again under tfjs's tape when the gradient is
 * due. Right for every layer whose output depends on its inputs and weights alone.
 */
export function anyLayer(layer: Layer): Operation {
  const weights = layer.weights.flatMap((_, index) => trainableWeight(layer, index));
  const call = (inputs: readonly tf.Tensor[], training: boolean) =>
    layer.call(inputs.length === 1 ? inputs[0]! : [...inputs], { training }) as tf.Tensor | tf.Tensor[];
  const single = (output: tf.Tensor | tf.Tensor[]) => (Array.isArray(output) ? output[0]! : output);
  return {
    trainable: weights,
    forward(inputs, mode): Forward {
      const saved = inputs.map((x) => tf.clone(x));
      const training = mode === 'training';
      return {
        output: tf.clone(single(call(inputs, training))),
        saved,
        backward: (dy) => {
          const sources = [...saved, ...weights.map((weight) => weight.variable)];
          const { grads } = tf.engine().gradients(() => single(call(saved, training)), sources, dy, true);
          return { inputs: grads.slice(0, saved.length), weights: grads.slice(saved.length) };
        },
      };
    },
  };
}
