import type { BatchSource } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { arraySource } from './array-source.ts';

/** Seeded normal noise, as many images of each class, class by class: what only takes time does not ask what it sees. */
export function noiseImages({
  classes,
  perClass,
  size = 32,
  batch,
}: {
  readonly classes: number;
  readonly perClass: number;
  /** Side of the images, in pixels. */
  readonly size?: number;
  readonly batch: number;
}): BatchSource {
  const count = classes * perClass;
  const noise = tf.randomNormal([count, size, size, 3], 0, 1, 'float32', 1);
  // Not out of a tidy, which would look for tensors among millions of numbers.
  const images = noise.dataSync() as Float32Array;
  noise.dispose();
  const labels = Int32Array.from({ length: count }, (_, image) => Math.floor(image / perClass));
  const classNames = Array.from({ length: classes }, (_, label) => `class ${label}`);
  return arraySource({ images, labels, shape: [size, size, 3], classNames }, batch);
}
