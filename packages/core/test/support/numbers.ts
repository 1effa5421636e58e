import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { GoldenImages } from './golden-images.ts';

/** Largest absolute difference of two equally long lists; NaN anywhere gives NaN. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length)
    throw new Error(`Expected ${expected.length} numbers, but got ${actual.length}.`);
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Number.NaN;
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** The model's output for the images, in inference mode. */
export function predict(model: LayersModel, { images, shape }: Pick<GoldenImages, 'images' | 'shape'>): Float32Array {
  return tf.tidy(() => {
    const output = model.predict(tf.tensor4d(images, [...shape]), { batchSize: shape[0] }) as tf.Tensor;
    return output.dataSync() as Float32Array;
  });
}
