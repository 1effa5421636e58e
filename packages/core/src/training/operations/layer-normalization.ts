import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

/** LayerNormalization over the last axis (Ba et al. 2016): y = scale * (x - mean) / sqrt(variance + epsilon) + offset. */
export function layerNormalization(layer: Layer): Operation {
  const config = layer.getConfig() as { epsilon: number; scale: boolean; center: boolean };
  const offsetIndex = config.scale ? 1 : 0;
  const scaleWeights = config.scale ? trainableWeight(layer, 0) : [];
  const offsetWeights = config.center ? trainableWeight(layer, offsetIndex) : [];
  const scaleOf = (x: tf.Tensor) => (config.scale ? tf.mul(x, layerVariables(layer)[0]!) : x);
  return {
    trainable: [...scaleWeights, ...offsetWeights],
    forward([x]): Forward {
      const centred = tf.sub(x!, tf.mean(x!, -1, true));
      const inverseStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), config.epsilon));
      const normalised = tf.mul(centred, inverseStd);
      const scaled = scaleOf(normalised);
      return {
        output: config.center ? tf.add(scaled, layerVariables(layer)[offsetIndex]!) : tf.clone(scaled),
        saved: [normalised, inverseStd],
        backward: (dy, wanted) => ({
          inputs: wanted.inputs ? [backward(scaleOf(dy), normalised, inverseStd)] : [],
          weights: wanted.weights
            ? [
                ...scaleWeights.map(() => sumOverTokens(tf.mul(dy, normalised))),
                ...offsetWeights.map(() => sumOverTokens(dy)),
              ]
            : [],
        }),
      };
    },
  };
}

/** The part of the gradient that moves neither the mean nor the variance. */
function backward(gradient: tf.Tensor, normalised: tf.Tensor, inverseStd: tf.Tensor): tf.Tensor {
  const alongMean = tf.mean(gradient, -1, true);
  const alongVariance = tf.mul(normalised, tf.mean(tf.mul(gradient, normalised), -1, true));
  return tf.mul(tf.sub(tf.sub(gradient, alongMean), alongVariance), inverseStd);
}

function sumOverTokens(x: tf.Tensor): tf.Tensor {
  return tf.sum(tf.reshape(x, [-1, x.shape.at(-1)!]), 0);
}
