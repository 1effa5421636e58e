import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { identity } from './activation.ts';

/**
 * Inverted dropout (Srivastava et al. 2014): in training y = x * mask / keep, mask 1 with probability keep = 1 - rate; the
 * gradient takes the same mask. Outside training, and as in tf.layers for a rate of 0 or 1, y = x.
 *
 * Every training pass draws a new mask. The masks follow from the layer's `seed`, or from its name when it has none.
 */
export function dropout(layer: Layer): Operation {
  const config = layer.getConfig() as { rate: number; seed?: number | null; noiseShape?: (number | null)[] | null };
  const keep = 1 - config.rate;
  const stream = config.seed ?? layer.name;
  let passes = 0;
  return {
    trainable: [],
    startAt(pass) {
      passes = pass;
    },
    forward(inputs, mode): Forward {
      if (mode !== 'training' || keep === 0 || keep === 1) return identity.forward(inputs, mode);
      const x = inputs[0]!;
      const uniform = tf.randomUniform(maskShape(x), 0, 1, 'float32', `${stream}/${passes++}`);
      const mask = tf.div(tf.step(tf.sub(keep, uniform)), keep);
      return {
        output: tf.mul(x, mask),
        saved: [mask],
        backward: (dy) => ({ inputs: [tf.mul(dy, mask)], weights: [] }),
      };
    },
  };

  function maskShape({ shape }: tf.Tensor): number[] {
    const { noiseShape } = config;
    if (!noiseShape) return shape;
    const sizes = noiseShape.map((size, axis) => size ?? shape[axis]!);
    if (sizes.length !== shape.length || sizes.some((size, axis) => size !== 1 && size !== shape[axis])) {
      throw new Error(
        `Expected the noiseShape of layer '${layer.name}' to have, for each of the input's sizes [${shape}], the same, 1 or null, but it is ${JSON.stringify(noiseShape)}.`,
      );
    }
    return sizes;
  }
}
