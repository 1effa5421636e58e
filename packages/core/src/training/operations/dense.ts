import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

/** Dense without its activation, over the last axis: x [..., in] * kernel [in, out] + bias. */
export function dense(layer: Layer): Operation {
  return projection(layer, 0);
}

/** The same with the weights of a layer from the given one on: a kernel, and a bias if there is one. */
export function projection(layer: Layer, first: number): Operation {
  const [kernel, bias] = layerVariables(layer).slice(first) as [
    tf.Variable<tf.Rank.R2>,
    tf.Variable<tf.Rank.R1> | undefined,
  ];
  const weights = [...trainableWeight(layer, first, 'kernel'), ...(bias ? trainableWeight(layer, first + 1) : [])];
  return {
    trainable: weights,
    forward([x]): Forward {
      const { shape } = x!;
      const rows = asRows(x!);
      const product = tf.matMul(rows, kernel);
      const output = tf.reshape(bias ? tf.add(product, bias) : product, [...shape.slice(0, -1), kernel.shape[1]]);
      return {
        output,
        saved: [rows],
        backward: (dy, wanted) => {
          const dRows = asRows(dy);
          return {
            inputs: wanted.inputs ? [tf.reshape(tf.matMul(dRows, kernel, false, true), shape)] : [],
            weights: wanted.weights
              ? weights.map((weight) =>
                  weight.variable === bias ? tf.sum(dRows, 0) : tf.matMul(rows, dRows, true, false),
                )
              : [],
          };
        },
      };
    },
  };
}

function asRows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape.at(-1)!]);
}
