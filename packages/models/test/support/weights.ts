import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

export function trainableParameters(model: LayersModel): number {
  return model.trainableWeights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0);
}

/** Standard deviation around 0. */
export function deviation(weights: tf.Tensor): number {
  const values = Array.from(weights.dataSync());
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
